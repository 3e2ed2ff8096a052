#pragma once
// Money that comes by bank transfer: the payer writes a reference on it, and a person who sees it on the statement says
// so (POST /api/v1/payments/{id}/confirm). The reference is an RF creditor reference (ISO 11649), whose two check
// digits (ISO 7064 MOD 97-10) let banks notice a mistyped one.

#include <memory>

#include "flow/pay/provider.h"

namespace rootstock::pay {

std::unique_ptr<Provider> make_bank_transfer();

// "RF18539007547034": the check digits before at most 21 letters and digits, of which lower-case ones are raised and
// others left out.
std::string creditor_reference(std::string_view text);
bool is_creditor_reference(std::string_view reference);

}  // namespace rootstock::pay
