#include "infer/table/table_desk.h"

#include "infer/table/table_model.h"

namespace rootstock {
namespace {

Result<ResidentAdapterPtr> bring_in(const AdapterId& id, const std::filesystem::path& folder, bool proven,
                                    NativeOptions options) {
    ROOTSTOCK_TRY(model, TableModel::load(folder, options));
    if (!proven) ROOTSTOCK_CHECKED(model.check());
    auto resident = std::make_shared<ResidentAdapter>();
    resident->id = id;
    resident->labels = model.schema().label.classes;
    resident->bytes = model.bytes();
    resident->table = std::make_shared<TableModel>(std::move(model));
    return resident;
}

}  // namespace

TableDesk::TableDesk(const TableDeskSettings& settings)
    : residency([options = settings.native](const AdapterId& id, const std::filesystem::path& folder,
                                            bool proven) { return bring_in(id, folder, proven, options); },
                settings.residency),
      scheduler(nullptr, {settings.queue, settings.batch_tokens_max, settings.batch_rows_max, settings.on_batch}) {}

}  // namespace rootstock
