#pragma once
// What all report pages are made of: opening, cards, sections, lists of facts, closing.

#include <string>
#include <string_view>
#include <vector>

#include "evaluate/report.h"

namespace rootstock::html {

// Up to where the content begins; `sub` is HTML.
std::string opening(std::string_view title, const std::string& sub);
// From where it ends; `data` is what the script reads (embedded()): names and totals of classes, where there are some.
std::string closing(const std::string& data = {});

// A measure; style "main" stands out.
std::string card(std::string_view style, const std::string& value, const std::string& name);
std::string cards(const std::string& all, int columns);
std::string section(const std::string& title, const std::string& content, std::string_view note = {});
std::string facts(const std::vector<ReportFact>& list);

// A script element of data; "<" inside it could end it, so it is written as \u003c, which JSON reads back.
std::string embedded(const char* id, const json::value& value);

}  // namespace rootstock::html
