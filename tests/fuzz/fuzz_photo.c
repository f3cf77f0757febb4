/* SPDX-License-Identifier: MIT */
/* Photos: JPEG, PNG, EXIF. */
#include "capture/photo/photo.h"
#include "capture/photo/format.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct frame *frame;
    struct photo_error error = {""};
    int orientation = exif_orientation(bytes, size);
    fuzz_check(orientation >= 1 && orientation <= 8);
    int status = photo_decode(&frame, bytes, size, &error);
    fuzz_check((status == 0) == (frame != NULL) && (status == 0 || error.text[0]));
    if (status)
        return 0;
    fuzz_check(frame->format == FRAME_RGB24 &&
               (uint64_t)frame->width * (uint64_t)frame->height <= PHOTO_PIXELS_MAX);
    unsigned sum = 0;
    for (int y = 0; y < frame->height; y++)
        for (int x = 0; x < 3 * frame->width; x++)
            sum += frame->data[0][y * frame->stride[0] + x];
    fuzz_check(sum < UINT32_MAX);
    frame_unref(frame);
    return 0;
}
