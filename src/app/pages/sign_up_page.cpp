#include "app/pages/sign_up_page.h"

namespace rootstock {
namespace {

using letters::Language;

struct Frame {
    const ShopWindow& window;
    Language language;
    PagePath path;

    std::string say(const char* english, const char* chinese) const {
        return language == Language::english ? english : chinese;
    }
    std::string page(const std::string& title, const std::string& body) const {
        return framed({.language = language,
                       .site = window.site,
                       .title = title + " – " + window.site,
                       .description = title,
                       .url = window.url,
                       .path = path},
                      "<h1>" + escape(title) + "</h1>\n" + body);
    }
    std::string said(const std::string& sentence, const char* kind = "said") const {
        return std::string("<p class=\"") + kind + "\" role=\"status\">" + escape(sentence) + "</p>\n";
    }
    std::string fault(const std::string& sentence) const {
        return sentence.empty() ? std::string() : said(sentence, "said wrong");
    }
};

const PagePath form_path{"/signup", "/zh/signup"};
const PagePath confirm_path{"/signup/confirm", "/zh/signup/confirm"};

std::string field(const std::string& name, const std::string& label, const std::string& more,
                  const std::string& value) {
    return "<label for=\"" + name + "\">" + escape(label) + "</label><input id=\"" + name + "\" name=\"" + name +
           "\" value=\"" + escape(value) + "\" " + more + ">";
}

std::string plan_choice(const Frame& frame, const std::string& chosen) {
    std::string out = "<label for=\"plan\">" + frame.say("Plan", "方案") + "</label><select id=\"plan\" name=\"plan\">";
    for (const auto& shown : frame.window.plans) {
        if (shown.plan.trial_days == 0) continue;
        const bool chinese = frame.language == Language::chinese && !shown.offer.name_zh.empty();
        const auto& name = chinese ? shown.offer.name_zh : shown.plan.name.empty() ? shown.plan.code : shown.plan.name;
        out += "<option value=\"" + escape(shown.plan.code) + "\"" + (shown.plan.code == chosen ? " selected" : "") +
               ">" + escape(name) + " (" + std::to_string(shown.plan.trial_days) + frame.say(" days", " 天") +
               ")</option>";
    }
    return out + "</select>";
}

}  // namespace

std::string sign_up_page(const ShopWindow& window, Language language, const SignUpForm& form) {
    const Frame frame{window, language, form_path};
    const auto title = frame.say("Start a trial", "开始试用");
    if (!window.sign_up)
        return frame.page(title, frame.said(frame.say("Sign-up is not open here: ask us for an account.",
                                                      "此处暂未开放自助注册，请联系我们开通账户。")));
    return frame.page(
        title, frame.fault(form.fault) + "<form method=\"post\" action=\"" + form_path.in(language) + "\">" +
                   field("email", frame.say("E-mail address", "电子邮箱"),
                         "type=\"email\" required maxlength=\"254\" autocomplete=\"email\"", form.email) +
                   field("name", frame.say("Company or name", "公司或姓名"),
                         "required maxlength=\"100\" autocomplete=\"organization\"", form.name) +
                   plan_choice(frame, form.plan) +
                   field("coupon", frame.say("Coupon, if you have one", "优惠码（选填）"),
                         "maxlength=\"40\" autocomplete=\"off\"", form.coupon) +
                   "<input type=\"hidden\" name=\"ref\" value=\"" + escape(form.referral) + "\"><button>" +
                   frame.say("Send me the link", "发送确认链接") + "</button><p class=\"hint\">" +
                   frame.say("A letter with a link confirms the address. No payment details are asked for; what is not "
                             "confirmed is forgotten after two days.",
                             "我们会发送一封含确认链接的邮件。无需提供付款信息；未确认的申请将在两天后删除。") +
                   "</p></form>");
}

std::string letter_sent_page(const ShopWindow& window, Language language) {
    const Frame frame{window, language, form_path};
    return frame.page(frame.say("Look into your mail", "请查收邮件"),
                      frame.said(frame.say("A letter is on its way to you. Its link opens the trial.",
                                           "邮件已发出，请点击其中的链接开通试用。")));
}

std::string confirm_page(const ShopWindow& window, Language language, const std::string& token,
                         const std::string& fault) {
    const Frame frame{window, language, confirm_path};
    if (token.empty())
        return frame.page(frame.say("This link opens nothing", "链接无效"),
                          frame.fault(fault) + "<p><a href=\"" + form_path.in(language) + "\">" +
                              frame.say("Ask for another link", "重新申请链接") + "</a></p>");
    return frame.page(
        frame.say("Choose a password", "设置密码"),
        frame.fault(fault) + "<form method=\"post\" action=\"" + confirm_path.in(language) +
            "\"><input type=\"hidden\" name=\"token\" value=\"" + escape(token) + "\">" +
            field("password", frame.say("Password", "密码"),
                  "type=\"password\" required minlength=\"12\" maxlength=\"256\" autocomplete=\"new-password\"", "") +
            "<p class=\"hint\">" +
            frame.say("At least 12 characters. Who has an account here already gives its password.",
                      "至少 12 个字符。如您已有账户，请输入现有密码。") +
            "</p>" +
            field("code", frame.say("Code of your authenticator, if you have one here", "验证器代码（如已启用）"),
                  "inputmode=\"numeric\" maxlength=\"64\" autocomplete=\"one-time-code\"", "") +
            "<button>" + frame.say("Open the trial", "开通试用") + "</button></form>");
}

std::string welcome_page(const ShopWindow& window, Language language, const std::string& tenant,
                         const std::string& plan, const std::string& until) {
    const Frame frame{window, language, confirm_path};
    return frame.page(
        frame.say("Welcome", "欢迎"),
        frame.said(frame.say("Your trial is open. Your tenant is called ", "试用已开通。您的租户名称为 ") + tenant +
                   frame.say(", its plan ", "，方案为 ") + plan + frame.say(", until ", "，有效期至 ") + until +
                   frame.say(".", "。")) +
            "<p>" +
            frame.say("Sign in with your address and password, and make a key for your programs: ",
                      "使用邮箱和密码登录，并为您的程序创建密钥：") +
            "<a href=\"/docs\">" + frame.say("API reference", "接口文档") + "</a></p>");
}

}  // namespace rootstock
