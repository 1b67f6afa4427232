// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "pixel_kernels.h"
#include "row_filter.h"

namespace nas::detail {

// What this processor's vector instructions give: row_filter and pixel loops of vector_kernels_x86.cpp or, on other
// machines, of vector_kernels_generic.cpp; the build chooses the file.

/// The row kernel, or null where the plain one of resize.cpp serves.
RowKernel VectorRowKernel();
/// Fills `packed` for it.
void PackRowFilter(RowFilter* filter);

/// The column kernel, or null likewise.
ColumnKernel VectorColumnKernel();

/// The pixel loops, never null. Every choice gives the same values.
const PixelKernels& BestPixelKernels();

}  // namespace nas::detail
