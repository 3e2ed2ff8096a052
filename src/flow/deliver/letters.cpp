#include "flow/deliver/letters.h"

namespace rootstock::letters {
namespace {

std::string day_of(Timestamp instant) { return to_iso8601(instant).substr(0, 10); }

outbox::Letter choose(Language language, const std::string& to, outbox::Letter english, outbox::Letter chinese) {
    auto letter = language == Language::english ? std::move(english) : std::move(chinese);
    letter.to = to;
    return letter;
}

}  // namespace

outbox::Letter invitation(Language language, const Invitation& facts) {
    const auto until = day_of(facts.expires);
    return choose(language, facts.to,
                  {{},
                   "Invitation to " + facts.tenant,
                   "Hello,\n\nyou are invited to " + facts.tenant + " as " + facts.role +
                       ".\n\nYour invitation, good until " + until + " and for one person:\n\n    " + facts.token +
                       "\n\nWho did not expect this letter may throw it away.\n"},
                  {{},
                   "加入 " + facts.tenant + " 的邀请",
                   "您好：\n\n您受邀加入 " + facts.tenant + "，角色为 " + facts.role + "。\n\n您的邀请码（有效期至 " +
                       until + "，仅限一人使用）：\n\n    " + facts.token + "\n\n如非本人预期，请忽略此邮件。\n"});
}

outbox::Letter confirmation(Language language, const Confirmation& facts) {
    const auto until = day_of(facts.expires);
    return choose(language, facts.to,
                  {{},
                   "Confirm your e-mail address",
                   "Hello,\n\nthis code confirms that the address is yours, until " + until + ":\n\n    " +
                       facts.token + "\n\nWho did not ask for it may throw this letter away.\n"},
                  {{},
                   "确认您的电子邮箱",
                   "您好：\n\n以下代码用于确认此邮箱属于您（有效期至 " + until + "）：\n\n    " + facts.token +
                       "\n\n如非本人操作，请忽略此邮件。\n"});
}

outbox::Letter sign_up(Language language, const SignUpLink& facts) {
    const auto until = day_of(facts.expires);
    return choose(
        language, facts.to,
        {{},
         "Confirm your trial of " + facts.plan,
         "Hello " + facts.name + ",\n\nthis link opens your trial of " + facts.plan + ". It is good until " + until +
             " and for one time:\n\n    " + facts.link +
             "\n\nWho did not ask for it may throw this letter away: nothing was opened.\n"},
        {{},
         "确认试用 " + facts.plan,
         facts.name + "，您好：\n\n请通过以下链接开通 " + facts.plan + " 的试用（有效期至 " + until +
             "，仅可使用一次）：\n\n    " + facts.link + "\n\n如非本人操作，请忽略此邮件，系统不会开通任何服务。\n"});
}

outbox::Letter known_already(Language language, const std::string& to, const std::string& url) {
    return choose(language, to,
                  {{},
                   "You have had your trial",
                   "Hello,\n\nsomebody, probably you, asked for a trial with this address. There was one already, so "
                   "nothing was opened. Sign in as before at " +
                       url + ", or answer this letter.\n"},
                  {{},
                   "您已使用过试用",
                   "您好：\n\n有人（可能是您本人）使用此邮箱申请试用。该邮箱已开通过试用，因此未做任何更改。请前往 " +
                       url + " 登录，或直接回复此邮件。\n"});
}

outbox::Letter invoice(Language language, const Bill& facts) {
    return choose(language, facts.to,
                  {{},
                   "Invoice " + facts.number,
                   "Hello,\n\ninvoice " + facts.number + " for " + facts.tenant + " is ready: " + facts.amount + " " +
                       facts.currency + ", due on " + facts.due + ".\n"},
                  {{},
                   "账单 " + facts.number,
                   "您好：\n\n" + facts.tenant + " 的账单 " + facts.number + " 已开具：" + facts.amount + " " +
                       facts.currency + "，请于 " + facts.due + " 前支付。\n"});
}

outbox::Letter reminder(Language language, const Bill& facts, int step) {
    const auto which = std::to_string(step);
    return choose(language, facts.to,
                  {{},
                   "Reminder " + which + ": invoice " + facts.number,
                   "Hello,\n\ninvoice " + facts.number + " for " + facts.tenant + " over " + facts.amount + " " +
                       facts.currency + " was due on " + facts.due +
                       " and is not paid yet. If the money is on its way, nothing needs to be done.\n"},
                  {{},
                   "第 " + which + " 次提醒：账单 " + facts.number,
                   "您好：\n\n" + facts.tenant + " 的账单 " + facts.number + "（" + facts.amount + " " +
                       facts.currency + "）已于 " + facts.due + " 到期，目前尚未支付。如您已付款，请忽略此邮件。\n"});
}

}  // namespace rootstock::letters
