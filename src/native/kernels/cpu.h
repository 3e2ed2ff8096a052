#pragma once
// What this processor offers, asked once at run time: the same program runs on every machine.

namespace rootstock {

// AVX-512 with bf16 products, which the bf16 kernels are written for.
bool cpu_has_bf16();

// AMX tiles with bf16 products, and the kernel's leave to use them.
bool cpu_has_tiles();

// The vector instructions that the fp32 kernels were chosen for: "AVX3", "AVX2", "NEON"... as Highway names them.
const char* vector_target();

}  // namespace rootstock
