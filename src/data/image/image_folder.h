#pragma once
// A labelled set of pictures as people keep them: one folder, in it a folder for each class, in those the pictures.
//
//   DATA/benign/one.png  DATA/benign/more/two.jpg  DATA/normal/three.png      classes: benign, normal
//
// Files directly in the folder (a licence, a list) belong to no class and are passed over; so are hidden files.

#include "data/dataset/dataset.h"

namespace rootstock {

// As read_labelled_texts() does with rows: `text` of an example is the path of a picture, `row` its place in the order
// of paths. Every picture is decoded once; one that cannot be read is a problem with its reason, `field` its path. The
// digest covers paths inside the folder and the bytes of every file. invalid_argument: no folder, no classes, one class
// only (when learning labels), no readable picture.
Result<TextDataset> read_labelled_images(const std::filesystem::path& folder,
                                         const std::vector<std::string>& known_labels = {});

}  // namespace rootstock
