/* SPDX-License-Identifier: MIT */
#define PANELS_FP16
#include "engine/kernels/arm/conv_panels.S"
