#include "flow/pay/bank_transfer.h"

namespace rootstock::pay {
namespace {

constexpr std::size_t reference_max = 21;

// The number that letters and digits spell (A = 10 ... Z = 35), modulo 97; -1 for other characters.
int modulo97(std::string_view text) {
    int rest = 0;
    for (char c : text) {
        const bool digit = c >= '0' && c <= '9', letter = c >= 'A' && c <= 'Z';
        if (!digit && !letter) return -1;
        rest = digit ? (rest * 10 + (c - '0')) % 97 : (rest * 100 + (c - 'A' + 10)) % 97;
    }
    return rest;
}

class BankTransfer final : public Provider {
public:
    const char* name() const override { return "bank_transfer"; }
    bool can_be_asked() const override { return false; }
    Result<std::string> customer(const TenantId&, const std::string&) override { return std::string(); }
    // The id's tail is random: two payments never bear one reference.
    Outcome charge(const Charge& charge) override {
        const auto& id = charge.attempt.id.text();
        const auto reference = creditor_reference(id.substr(id.size() - std::min(id.size(), reference_max)));
        return {Outcome::Kind::pending, reference, {}, {}, reference};
    }
    Outcome look(const Charge& charge) override { return {Outcome::Kind::pending, charge.attempt.ref}; }
    Outcome give_back(const Return& wanted) override { return {Outcome::Kind::pending, wanted.refund.id.text()}; }
    Outcome look(const Return& wanted) override { return {Outcome::Kind::pending, wanted.refund.ref}; }
    Result<Notice> read_notice(const std::string&, const std::string&, Timestamp) override {
        return fail(ErrorCode::not_found, "a bank sends no events", {}, "provider_not_found");
    }
};

}  // namespace

std::string creditor_reference(std::string_view text) {
    std::string body;
    for (char c : text) {
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
        if (((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z')) && body.size() < reference_max) body += c;
    }
    const int check = 98 - modulo97(body + "RF00");
    return "RF" + std::string(check < 10 ? "0" : "") + std::to_string(check) + body;
}

bool is_creditor_reference(std::string_view reference) {
    if (reference.size() < 5 || reference.size() > 4 + reference_max || !reference.starts_with("RF")) return false;
    return modulo97(std::string(reference.substr(4)) + std::string(reference.substr(0, 4))) == 1;
}

std::unique_ptr<Provider> make_bank_transfer() { return std::make_unique<BankTransfer>(); }

}  // namespace rootstock::pay
