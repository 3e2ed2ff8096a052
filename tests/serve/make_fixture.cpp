// A home folder to test a server on, made through the house's own faces: the model, adapters with seeded random
// weights whose self-tests the native executor answered, tenants in every condition, and their keys.
//
//   serve_fixture HOME MODEL_FOLDER [WRITER_FOLDER]
//
//   serve_fixture --adapter HOME BASE NAME OWNER LABEL,LABEL,... SEED
//
// The second adds a live adapter with seeded random weights on a base model of the home; OWNER "": the house's. The
// first prints one JSON object: {"base", "digest", "labels", "keys": {"acme", "umbra", "poor", "suspended", "revoked",
// "expired"}}. Besides that model ("fixture") there is one that writes ("writer": WRITER_FOLDER, or the
// one of tiny_writer.h). Adapters: "tickets"
// of the house (live), "mood" of acme (version 1 retired, 2 live, 3 candidate), "secret" of umbra (live), "broken" of
// acme (live, its self-tests disagree), "elsewhere" of acme (another base), "voice" of acme (live, on "writer").

#include <cstdio>
#include <exception>

#include "app/wiring/records.h"
#include "base/base.h"
#include "catalog/catalog.h"
#include "flow/bill.h"
#include "infer/infer.h"
#include "ledger/ledger.h"
#include "model/model.h"
#include "native/native.h"
#include "tenant/tenant.h"
#include "tiny_writer.h"

namespace rootstock {
namespace {

// Faults of a fixture end it: an Error becomes an exception, told by main.
template <typename T>
T must(Result<T> result) {
    if (!result) throw std::runtime_error(result.error().message);
    if constexpr (!std::is_void_v<T>) return std::move(*result);
}

std::vector<float> normals(SeededRandom& random, std::size_t count, double deviation) {
    std::vector<float> values(count);
    for (auto& value : values) value = static_cast<float>(random.normal() * deviation);
    return values;
}

Adapter random_adapter(const Model& model, const std::string& digest, std::vector<std::string> labels,
                       std::uint64_t seed) {
    SeededRandom random(seed);
    Adapter adapter;
    adapter.settings.rank = 4;
    adapter.settings.alpha = 8;
    for (const auto& map : linear_maps(model.spec)) {
        LoraPair pair{4, lora_scale(adapter.settings, 4), map.in, map.out, {}, {}};
        pair.a = normals(random, static_cast<std::size_t>(4 * map.in), 0.1);
        pair.b = normals(random, static_cast<std::size_t>(4 * map.out), 0.1);
        adapter.pairs[map.module] = std::move(pair);
    }
    auto classes = labels.size();
    auto width = static_cast<std::size_t>(model.spec.width);
    adapter.head = {static_cast<int>(classes), model.spec.width, normals(random, classes * width, 0.2),
                    normals(random, classes, 0.2)};
    adapter.labels = std::move(labels);
    adapter.base_digest = digest;
    adapter.base_name = "fixture";
    return adapter;
}

class Fixture {
public:
    Fixture(const std::string& home, const std::filesystem::path& folder)
        : home_(must(open_home(home))),
          records_(must(open_records(home_))),
          model_(must(load_model(folder))),
          digest_(must(model_digest(folder))),
          tokenizer_(must(Tokenizer::load(folder))),
          native_(must(NativeModel::load(model_, {Precision::fp32, 1}))) {
        std::filesystem::create_directory_symlink(std::filesystem::absolute(folder), home_.models() / digest_);
        write([&](store::Session& session) -> Result<void> {
            catalog::add_model(session, {digest_, "fixture", model_.spec.family, "file:fixture", digest_, "", now()});
            return {};
        });
    }

    void add_writer(const std::string& given) {
        const auto folder = home_.models() / "writer";
        if (given.empty())
            make_tiny_writer(folder, 11);
        else
            std::filesystem::create_directory_symlink(std::filesystem::absolute(given), folder);
        writer_digest_ = must(model_digest(folder));
        write([&](store::Session& session) -> Result<void> {
            catalog::add_model(session, {writer_digest_, "writer", "llama", "file:writer", "writer", "", now()});
            return {};
        });
    }

    // An adapter on the model that writes: it has no head, and so nothing that a self-test could ask.
    void add_voice(const TenantId& owner, const std::string& name, std::uint64_t seed) {
        const auto model = must(load_model(home_.models() / "writer"));
        auto id = mint<AdapterTag>(now());
        must(save_adapter(home_.adapters() / id.text(), random_adapter(model, writer_digest_, {}, seed), model.spec));
        register_adapter(record_of(id, owner, name, "chat", writer_digest_, {}, seed), true);
    }

    void add_adapter(const TenantId& owner, const std::string& name, std::uint64_t seed, bool live,
                     const std::string& flaw = "") {
        auto adapter = random_adapter(model_, digest_, labels(), seed);
        add_self_tests(adapter);
        if (flaw == "self-test") adapter.self_tests[0].logits[0] += 3;
        auto id = mint<AdapterTag>(now());
        must(save_adapter(home_.adapters() / id.text(), adapter, model_.spec));
        const auto base = flaw == "base" ? std::string(64, 'e') : digest_;
        register_adapter(record_of(id, owner, name, "classify", base, labels(), seed), live);
    }

    static catalog::Adapter record_of(const AdapterId& id, const TenantId& owner, const std::string& name,
                                      const std::string& task, const std::string& base, std::vector<std::string> labels,
                                      std::uint64_t seed) {
        catalog::Adapter record;
        record.id = id;
        record.owner = owner;
        record.name = name;
        record.task = task;
        record.labels = std::move(labels);
        record.base_digest = base;
        record.seed = seed;
        record.settings = json::object{};
        record.metrics = json::object{};
        return record;
    }

    void register_adapter(const catalog::Adapter& record, bool live) {
        write([&](store::Session& session) -> Result<void> {
            ROOTSTOCK_TRY(added, catalog::add_adapter(session, record, now()));
            if (!live) return {};
            ROOTSTOCK_CHECKED(catalog::promote(session, record.owner, added.reference(), now()));
            return {};
        });
    }

    TenantId add_tenant(const std::string& name, std::string_view plan = ledger::default_plan) {
        return must(records_->write_now([&](store::Session& session) -> Result<TenantId> {
            ROOTSTOCK_TRY(tenant, bill::create_tenant(session, name, plan, now()));
            return tenant.id;
        }));
    }

    tenant::NewKey add_key(const TenantId& tenant, std::optional<Timestamp> expires = {}, Timestamp at = {}) {
        return must(records_->write_now([&](store::Session& session) {
            return tenant::create_key(session, tenant, "test", expires, at.micros ? at : now());
        }));
    }

    template <typename Work>
    void write(Work work) {
        must(records_->write_now(std::move(work)));
    }

    static Timestamp now() { return system_clock().now(); }
    static std::vector<std::string> labels() { return {"card_arrival", "lost_card", "\"quoted\", 卡\n"}; }
    const std::string& digest() const { return digest_; }

private:
    void add_self_tests(Adapter& adapter) {
        auto native = must(NativeAdapter::load(*native_, adapter));
        Executor executor(native_);
        const NativeAdapter* row = native.get();
        for (const char* text : {"where is my card?", "please help, i lost my phone"}) {
            PackedBatch batch;
            SelfTest test{text, {}, {}};
            must(tokenizer_.encode_ids(text, {}, test.ids));
            batch.add_row(test.ids);
            auto logits = must(executor.classify(batch, {&row, 1}));
            test.logits.assign(logits.values.begin(), logits.values.end());
            adapter.self_tests.push_back(std::move(test));
        }
    }

    Home home_;
    std::unique_ptr<store::Database> records_;
    Model model_;
    std::string digest_, writer_digest_;
    Tokenizer tokenizer_;
    std::shared_ptr<const NativeModel> native_;
};

// One more live adapter, on any base model of the home.
void add_to_home(const std::string& home_folder, const std::string& base, const std::string& name,
                 const std::string& owner, const std::string& labels, std::uint64_t seed) {
    const auto home = must(open_home(home_folder));
    const auto records = must(open_records(home));
    const auto model = must(records->read([&](store::Session& session) { return catalog::find_model(session, base); }));
    std::vector<std::string> names;
    for (std::size_t at = 0, end = 0; end != std::string::npos; at = end + 1)
        names.push_back(labels.substr(at, (end = labels.find(',', at)) - at));
    const auto files = must(load_model(home.models() / model.folder));
    const auto id = mint<AdapterTag>(Fixture::now());
    must(save_adapter(home.adapters() / id.text(), random_adapter(files, model.digest, names, seed), files.spec));
    must(records->write_now([&](store::Session& session) -> Result<void> {
        TenantId tenant;
        if (!owner.empty()) {
            ROOTSTOCK_TRY(found, tenant::find(session, owner));
            tenant = found.id;
        }
        auto record = Fixture::record_of(id, tenant, name, "classify", model.digest, names, seed);
        ROOTSTOCK_TRY(added, catalog::add_adapter(session, record, Fixture::now()));
        ROOTSTOCK_CHECKED(catalog::promote(session, tenant, added.reference(), Fixture::now()));
        return {};
    }));
}

ledger::Plan tiny_plan() {
    ledger::Plan plan;
    plan.code = "tiny";
    plan.credit_limit = Micros{1000};  // 50 tokens at the default price
    plan.prices = {ledger::unit_price("input_tokens", "", Micros{20000}, 1000),
                   ledger::unit_price("output_tokens", "", Micros{60000}, 1000),
                   ledger::unit_price("training_tokens", "", Micros{8000}, 1000),
                   ledger::unit_price("rows", "", Micros{100000}, 1000)};
    return plan;
}

void make(const std::string& home, const std::string& folder, const std::string& writer) {
    Fixture fixture(home, folder);
    fixture.add_writer(writer);
    fixture.write([](store::Session& session) -> Result<void> {
        ROOTSTOCK_CHECKED(ledger::add_plan_version(session, tiny_plan(), Fixture::now()));
        return {};
    });
    auto acme = fixture.add_tenant("acme"), umbra = fixture.add_tenant("umbra"),
         poor = fixture.add_tenant("poor", "tiny"), suspended = fixture.add_tenant("suspended");
    fixture.add_adapter(TenantId(), "tickets", 1, true);
    fixture.add_adapter(acme, "mood", 2, true);
    fixture.add_adapter(acme, "mood", 3, true);
    fixture.add_adapter(acme, "mood", 4, false);
    fixture.add_adapter(umbra, "secret", 5, true);
    fixture.add_adapter(acme, "broken", 6, true, "self-test");
    fixture.add_adapter(acme, "elsewhere", 7, true, "base");
    fixture.add_voice(acme, "voice", 8);

    json::object keys;
    keys["acme"] = fixture.add_key(acme).secret;
    keys["umbra"] = fixture.add_key(umbra).secret;
    keys["poor"] = fixture.add_key(poor).secret;
    keys["suspended"] = fixture.add_key(suspended).secret;
    Timestamp long_ago{Fixture::now().micros - 3'600'000'000};
    keys["expired"] = fixture.add_key(acme, Timestamp{long_ago.micros + 1'000'000}, long_ago).secret;
    auto revoked = fixture.add_key(acme);
    keys["revoked"] = revoked.secret;
    fixture.write([&](store::Session& session) -> Result<void> {
        ROOTSTOCK_CHECKED(tenant::revoke_key(session, revoked.key.id.text(), Fixture::now()));
        return tenant::set_status(session, suspended, tenant::Status::suspended);
    });
    auto labels = Fixture::labels();
    json::object told{{"base", "fixture"},
                      {"digest", fixture.digest()},
                      {"labels", json::array(labels.begin(), labels.end())},
                      {"keys", std::move(keys)}};
    std::printf("%s\n", json::serialize(told).c_str());
}

}  // namespace
}  // namespace rootstock

int main(int argc, char** argv) {
    const bool one_more = argc == 8 && std::string_view(argv[1]) == "--adapter";
    if (!one_more && (argc < 3 || argc > 4)) {
        std::fprintf(
            stderr,
            "usage: %s HOME MODEL_FOLDER [WRITER_FOLDER]\n       %s --adapter HOME BASE NAME OWNER LABELS SEED\n",
            argv[0], argv[0]);
        return 2;
    }
    try {
        if (one_more)
            rootstock::add_to_home(argv[2], argv[3], argv[4], argv[5], argv[6], std::stoull(argv[7]));
        else
            rootstock::make(argv[1], argv[2], argc == 4 ? argv[3] : "");
    } catch (const std::exception& fault) {
        std::fprintf(stderr, "serve_fixture: %s\n", fault.what());
        return 1;
    }
}
