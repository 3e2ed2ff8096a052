#include "model/families/spelling.h"

#include "model/families/family.h"

namespace rootstock {

FileSpelling file_spelling(const TransformerSpec& spec, std::string_view canonical) {
    const auto& family = family_of(spec);
    const auto form = family.form(canonical);
    return {family.tensor_names(canonical), form.transposed, form.part, form.parts};
}

}  // namespace rootstock
