#pragma once
// The one kind of constraint there is: a network over a vocabulary.

#include <memory>

#include "infer/constrain/constraint.h"
#include "infer/constrain/token_masks.h"

namespace rootstock::constrain {

class NetworkConstraint final : public Constraint {
public:
    NetworkConstraint(std::shared_ptr<const Network> network, std::shared_ptr<const OutputVocabulary> vocabulary)
        : masks_(std::make_shared<TokenMasks>(std::move(network), std::move(vocabulary))) {}
    std::unique_ptr<ConstraintState> begin() const override;
    void prepare() const { masks_->prepare(); }

private:
    std::shared_ptr<TokenMasks> masks_;
};

// Compiles rules. Faults as of Network::compile; also "constraint_impossible" where the vocabulary has no token to
// begin with.
std::shared_ptr<const Constraint> constraint_of(const Rules& rules, std::shared_ptr<const OutputVocabulary> vocabulary,
                                                Budget& budget);

}  // namespace rootstock::constrain
