// The page: sender and title at the top, addressee and facts below, the table with its header on every page, sums under
// its last columns, notes, and at the foot the number and the page of how many. It is laid out twice: the first time
// into nothing, to know how many pages there are.

#include <cairo-pdf.h>
#include <pango/pangocairo.h>

#include <algorithm>
#include <memory>
#include <numeric>

#include "paper/paper.h"

namespace rootstock::paper {
namespace {

// Points, 1/72 inch.
constexpr double page_width = 595.28, page_height = 841.89;
constexpr double margin = 54, foot = 60, gap = 10;
constexpr double text_width = page_width - 2 * margin;
constexpr const char* family = "Noto Sans, Noto Sans CJK SC, sans-serif";

struct Ink {
    double red, green, blue;
};
constexpr Ink black{0.11, 0.12, 0.15}, grey{0.42, 0.45, 0.50}, pale{0.86, 0.87, 0.89}, accent{0.06, 0.36, 0.45};

struct Style {
    double size = 9;
    bool bold = false;
    bool right = false;
    Ink ink = black;
};

struct Release {
    void operator()(cairo_surface_t* surface) const { cairo_surface_destroy(surface); }
    void operator()(cairo_t* cairo) const { cairo_destroy(cairo); }
    void operator()(PangoLayout* layout) const { g_object_unref(layout); }
    void operator()(PangoFontDescription* font) const { pango_font_description_free(font); }
};
template <typename T>
using Owned = std::unique_ptr<T, Release>;

cairo_status_t append(void* bytes, const unsigned char* data, unsigned int length) {
    static_cast<std::string*>(bytes)->append(reinterpret_cast<const char*>(data), length);
    return CAIRO_STATUS_SUCCESS;
}

class Sheet {
public:
    Sheet(const Document& document, std::string& bytes, int pages)
        : document_(document),
          pages_(pages),
          surface_(cairo_pdf_surface_create_for_stream(append, &bytes, page_width, page_height)),
          cairo_(cairo_create(surface_.get())) {
        const auto tell = [&](cairo_pdf_metadata_t what, const std::string& text) {
            cairo_pdf_surface_set_metadata(surface_.get(), what, text.c_str());
        };
        tell(CAIRO_PDF_METADATA_TITLE, document.title + " " + document.number);
        tell(CAIRO_PDF_METADATA_AUTHOR, document.from.empty() ? "" : document.from.front());
        tell(CAIRO_PDF_METADATA_CREATOR, "Rootstock");
        tell(CAIRO_PDF_METADATA_CREATE_DATE, to_iso8601(document.made));
    }

    // Draws everything; returns how many pages it took.
    Result<int> draw() {
        stamp();
        head();
        parties();
        table();
        sums();
        notes();
        end_page();
        cairo_surface_finish(surface_.get());
        if (cairo_status(cairo_.get()) != CAIRO_STATUS_SUCCESS ||
            cairo_surface_status(surface_.get()) != CAIRO_STATUS_SUCCESS)
            return fail(ErrorCode::io, "the PDF could not be drawn");
        return page_;
    }

private:
    // Bytes that are no UTF-8 are drawn as the replacement character.
    Owned<PangoLayout> set(const std::string& text, double width, const Style& style) {
        Owned<PangoLayout> layout(pango_cairo_create_layout(cairo_.get()));
        pango_context_set_language(pango_layout_get_context(layout.get()),
                                   pango_language_from_string(document_.language.c_str()));
        Owned<PangoFontDescription> font(pango_font_description_from_string(family));
        pango_font_description_set_absolute_size(font.get(), style.size * PANGO_SCALE);
        if (style.bold) pango_font_description_set_weight(font.get(), PANGO_WEIGHT_BOLD);
        pango_layout_set_font_description(layout.get(), font.get());
        pango_layout_set_width(layout.get(), static_cast<int>(width * PANGO_SCALE));
        pango_layout_set_wrap(layout.get(), PANGO_WRAP_WORD_CHAR);
        pango_layout_set_alignment(layout.get(), style.right ? PANGO_ALIGN_RIGHT : PANGO_ALIGN_LEFT);
        const std::unique_ptr<char, decltype(&g_free)> valid(
            g_utf8_make_valid(text.c_str(), static_cast<gssize>(text.size())), g_free);
        pango_layout_set_text(layout.get(), valid.get(), -1);
        return layout;
    }

    static double height(PangoLayout* layout) {
        int width = 0, height = 0;
        pango_layout_get_size(layout, &width, &height);
        return static_cast<double>(height) / PANGO_SCALE;
    }

    // Returns the height that the text took.
    double write(const std::string& text, double x, double y, double width, const Style& style) {
        auto layout = set(text, width, style);
        cairo_set_source_rgb(cairo_.get(), style.ink.red, style.ink.green, style.ink.blue);
        cairo_move_to(cairo_.get(), x, y);
        pango_cairo_show_layout(cairo_.get(), layout.get());
        return height(layout.get());
    }

    void rule(double y, const Ink& ink, double thickness) {
        cairo_set_source_rgb(cairo_.get(), ink.red, ink.green, ink.blue);
        cairo_set_line_width(cairo_.get(), thickness);
        cairo_move_to(cairo_.get(), margin, y);
        cairo_line_to(cairo_.get(), page_width - margin, y);
        cairo_stroke(cairo_.get());
    }

    void end_page() {
        const double y = page_height - foot + 18;
        rule(y - 6, pale, 0.5);
        write(document_.title + " " + document_.number, margin, y, text_width / 2, {7.5, false, false, grey});
        write(document_.page_word + " " + std::to_string(page_) + " / " + std::to_string(pages_),
              margin + text_width / 2, y, text_width / 2, {7.5, false, true, grey});
        cairo_show_page(cairo_.get());
    }

    // Goes to a new page when `needed` does not fit; true if it did.
    bool make_room(double needed) {
        if (y_ + needed <= page_height - foot) return false;
        end_page();
        ++page_;
        y_ = margin;
        return true;
    }

    void stamp() {
        if (document_.stamp.empty()) return;
        auto layout = set(document_.stamp, 2 * page_width, {96, true, false, pale});
        pango_layout_set_width(layout.get(), -1);
        int wide = 0, high = 0;
        pango_layout_get_size(layout.get(), &wide, &high);
        cairo_save(cairo_.get());
        cairo_translate(cairo_.get(), page_width / 2, page_height / 2);
        cairo_rotate(cairo_.get(), -0.6);
        cairo_set_source_rgb(cairo_.get(), 0.94, 0.94, 0.95);
        cairo_move_to(cairo_.get(), -wide / 2.0 / PANGO_SCALE, -high / 2.0 / PANGO_SCALE);
        pango_cairo_show_layout(cairo_.get(), layout.get());
        cairo_restore(cairo_.get());
    }

    void head() {
        double left = y_;
        for (std::size_t i = 0; i < document_.from.size(); ++i)
            left += write(document_.from[i], margin, left, text_width * 0.55,
                          i == 0 ? Style{11, true, false, black} : Style{8, false, false, grey}) +
                    (i == 0 ? 3 : 1);
        double right = y_;
        right += write(document_.title, margin + text_width * 0.5, right, text_width * 0.5, {22, true, true, accent});
        right += write(document_.number, margin + text_width * 0.5, right, text_width * 0.5, {10, false, true, grey});
        y_ = std::max(left, right) + 2 * gap;
    }

    void parties() {
        double left = y_ + write(document_.to_label, margin, y_, text_width * 0.5, {7.5, false, false, grey}) + 2;
        for (std::size_t i = 0; i < document_.to.size(); ++i)
            left += write(document_.to[i], margin, left, text_width * 0.5, {9, i == 0, false, black}) + 1;
        double right = y_;
        const double x = margin + text_width * 0.56;
        for (const Field& fact : document_.facts) {
            write(fact.label, x, right, text_width * 0.18, {8, false, false, grey});
            right += write(fact.text, x + text_width * 0.18, right, text_width * 0.26, {8.5, false, true, black}) + 2;
        }
        y_ = std::max(left, right) + 2 * gap;
    }

    // One row of the table; its height is that of its tallest cell.
    double row(const std::vector<std::string>& cells, double y, const Style& style, bool drawn) {
        const int shares = std::accumulate(document_.columns.begin(), document_.columns.end(), 0,
                                           [](int sum, const Column& column) { return sum + column.share; });
        double x = margin, tallest = 0;
        for (std::size_t i = 0; i < document_.columns.size(); ++i) {
            const Column& column = document_.columns[i];
            const double width = text_width * column.share / shares;
            Style own = style;
            own.right = column.right;
            const double inner = width - (i + 1 == document_.columns.size() ? 0 : 8);
            const std::string text = i < cells.size() ? cells[i] : "";
            tallest = std::max(tallest, drawn ? write(text, x, y, inner, own) : height(set(text, inner, own).get()));
            x += width;
        }
        return tallest;
    }

    void table_head() {
        std::vector<std::string> titles;
        for (const Column& column : document_.columns) titles.push_back(column.title);
        rule(y_, accent, 1);
        y_ += 4;
        y_ += row(titles, y_, {7.5, true, false, grey}, true) + 4;
        rule(y_, pale, 0.5);
    }

    void table() {
        table_head();
        for (const auto& cells : document_.rows) {
            const double tall = row(cells, 0, {}, false) + gap;
            if (make_room(tall)) table_head();
            row(cells, y_ + gap / 2, {}, true);
            y_ += tall;
            rule(y_, pale, 0.5);
        }
        y_ += gap;
    }

    void sums() {
        make_room(16.0 * static_cast<double>(document_.sums.size()) + gap);
        const double x = margin + text_width * 0.5, width = text_width * 0.5;
        for (std::size_t i = 0; i < document_.sums.size(); ++i) {
            const bool last = i + 1 == document_.sums.size();
            const Style style{last ? 11.0 : 9.0, last, false, black};
            Style number = style;
            number.right = true;
            write(document_.sums[i].label, x, y_, width * 0.6, style);
            y_ += write(document_.sums[i].text, x + width * 0.5, y_, width * 0.5, number) + 3;
        }
        y_ += 2 * gap;
    }

    void notes() {
        for (const std::string& note : document_.notes) {
            make_room(height(set(note, text_width, {8, false, false, grey}).get()));
            y_ += write(note, margin, y_, text_width, {8, false, false, grey}) + 4;
        }
    }

    const Document& document_;
    int pages_;
    int page_ = 1;
    double y_ = margin;
    Owned<cairo_surface_t> surface_;
    Owned<cairo_t> cairo_;
};

}  // namespace

Result<std::string> pdf(const Document& document) {
    std::string bytes;
    ROOTSTOCK_TRY(pages, Sheet(document, bytes, 0).draw());
    bytes.clear();
    ROOTSTOCK_CHECKED(Sheet(document, bytes, pages).draw());
    return bytes;
}

}  // namespace rootstock::paper
