/* SPDX-License-Identifier: MIT */
#define STRIPS_FP16
#include "engine/kernels/arm/depthwise_strips.S"
