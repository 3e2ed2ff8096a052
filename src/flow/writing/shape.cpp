#include "flow/writing/shape.h"

namespace rootstock {

Result<std::shared_ptr<const Constraint>> compile_shape(const TextShape& shape,
                                                        std::shared_ptr<const OutputVocabulary>) {
    return fail(ErrorCode::unsupported, "'" + shape.param + "': this server writes free text only", shape.param);
}

}  // namespace rootstock
