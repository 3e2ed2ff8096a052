#pragma once
// The pages of a sign-up, in English and Chinese: plain forms.

#include <string>

#include "app/pages/pricing_page.h"

namespace rootstock {

// What was typed, to be shown again beside what is wrong with it.
struct SignUpForm {
    std::string email{}, name{}, plan{}, coupon{}, referral{};
    std::string fault{};  // a sentence; empty: none
};
std::string sign_up_page(const ShopWindow& window, letters::Language language, const SignUpForm& form);
std::string letter_sent_page(const ShopWindow& window, letters::Language language);

// Where the letter's link leads: looking at it changes nothing (mail scanners follow links); the form's button does.
std::string confirm_page(const ShopWindow& window, letters::Language language, const std::string& token,
                         const std::string& fault);
std::string welcome_page(const ShopWindow& window, letters::Language language, const std::string& tenant,
                         const std::string& plan, const std::string& until);

}  // namespace rootstock
