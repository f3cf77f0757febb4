/* SPDX-License-Identifier: MIT */
/*
 * Pipit's engine: MobileNet-class networks on a CPU. This is the library's one public header.
 *
 * A model is opened from a file (TFLite; PyTorch state dicts in .pth/.pt, safetensors or GGUF) or made from a
 * network's name with random weights. Everything is allocated when it is opened; a run allocates nothing.
 *
 * Threads: a model is used by one thread at a time; different models may be used by different threads at
 * once. A run uses `threads` OpenMP threads: the caller and threads-1 more, which belong to the calling
 * thread; call from one thread to keep one team. Start the process with OMP_WAIT_POLICY=passive if they must
 * not spin for some milliseconds after a run. The library has no global state that can be changed.
 * Where the processors that the process may run on are of unlike speed (big.LITTLE) when a model is opened,
 * the fast ones make more of each layer. threads 0 takes the slow ones, too; for the fast ones alone restrict
 * the process to them (taskset(1), CPUAffinity= of systemd).
 *
 * Errors: functions that return int give 0 (or a count) on success and a negative errno value otherwise, with
 * a sentence for people in *error where there is one. Nothing that comes from a file or an image aborts.
 */
#ifndef PIPIT_H
#define PIPIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PIPIT_API __attribute__((visibility("default")))

struct pipit_model; /* opaque */

struct pipit_error {
    char text[480]; /* one sentence, no newline; "" when there was no error */
};

PIPIT_API const char *pipit_version(void); /* "MAJOR.MINOR.PATCH" */

/* ---- CPU features -------------------------------------------------------------------------------------- */

enum pipit_cpu {
    PIPIT_CPU_NEON = 1 << 0, /* every arm64 */
    PIPIT_CPU_DOTPROD = 1 << 1,
    PIPIT_CPU_FP16 = 1 << 2,
    PIPIT_CPU_I8MM = 1 << 3,
    PIPIT_CPU_AVX2 = 1 << 8,   /* with FMA and F16C */
    PIPIT_CPU_AVX512 = 1 << 9, /* F, BW, DQ, VL */
    PIPIT_CPU_VNNI = 1 << 10,  /* AVX512_VNNI, VBMI: Ice Lake, Zen 4 */
    PIPIT_CPU_BF16 = 1 << 11,  /* arm64: FEAT_BF16; x86-64: AVX512_BF16 beside AVX512, as of Zen 4 */
};

PIPIT_API unsigned pipit_cpu_flags(void); /* what this machine has: PIPIT_CPU_* or'ed */
/* Reads "all", "none", "0x101" or names as "neon,dotprod" into *mask. -EINVAL for anything else. */
PIPIT_API int pipit_cpu_parse(const char *text, unsigned *mask);
/* Writes the names of the flags, separated by commas ("none" for 0), to text. */
PIPIT_API void pipit_cpu_format(unsigned flags, char *text, size_t size);

/* ---- settings ------------------------------------------------------------------------------------------ */

enum pipit_fit {
    PIPIT_FIT_AUTO,    /* what the file says, else stretch */
    PIPIT_FIT_STRETCH, /* the whole picture, its aspect not kept (TensorFlow Lite's task library) */
    PIPIT_FIT_CROP,    /* shorter side to `resize`, then the centre (torchvision's Resize and CenterCrop) */
};

enum pipit_decoder {
    PIPIT_DECODER_AUTO, /* what the file's operators and outputs say */
    PIPIT_DECODER_CLASSES,
    PIPIT_DECODER_SSD_BOXES, /* four outputs of TFLite_Detection_PostProcess */
    PIPIT_DECODER_SSD_RAW,   /* box regressions [1,N,4] and scores [1,N,C], anchors as in `ssd` */
    PIPIT_DECODER_NONE,
};

/* What float32 layers compute in. Quantised ones are as their file has them. */
enum pipit_precision {
    PIPIT_PRECISION_F32,  /* exact: the reference's answers to 1e-4 of their range */
    PIPIT_PRECISION_F16,  /* weights, activations and sums in float16: half the memory, twice as fast at best;
                             3  digits, numbers up to 65504. Without PIPIT_CPU_FP16: float32 is kept, unless
                             cpu_mask is 0 and the C reference runs it */
    PIPIT_PRECISION_BF16, /* convolutions and fully connected layers round weights and inputs to bfloat16;
                             their sums, all else and the range stay float32's: 2 digits, half the memory
                             for weights, up to twice as fast. Without PIPIT_CPU_BF16: as F16 */
    PIPIT_PRECISION_INT8, /* quantised models, as their file has them. -ENOTSUP when a float one is opened:
                             pictures make it int8, by a pipit_quantizer */
};

/* Reads "f32", "f16", "bf16" or "int8". -EINVAL for anything else. */
PIPIT_API int pipit_precision_parse(const char *text, enum pipit_precision *precision);
PIPIT_API const char *pipit_precision_name(enum pipit_precision precision); /* as "f32" */

#define PIPIT_SSD_MAPS_MAX    8
#define PIPIT_SSD_ASPECTS_MAX 8

/* SSD anchors as in TensorFlow's object detection API (multiple_grid_anchor_generator.create_ssd_anchors) and
 * boxes as in Liu et al., SSD: Single Shot MultiBox Detector, 2016. */
struct pipit_ssd {
    int maps;                     /* feature maps, 1 to PIPIT_SSD_MAPS_MAX */
    int grid[PIPIT_SSD_MAPS_MAX]; /* cells along a side of each map */
    float min_scale, max_scale;   /* of the input's side; in equal steps from the first map to the last */
    int aspects;
    float aspect[PIPIT_SSD_ASPECTS_MAX]; /* width / height */
    bool reduce_lowest; /* first map: aspect 1 at scale 0.1, aspects 2 and 1/2 at min_scale */
    bool interpolated;  /* one more of aspect 1 at sqrt(scale * next scale), last: with 1.0 */
    float divisor[4];   /* ty, tx, th, tw are divided by these */
    int background;     /* class that is no object, -1 if there is none */
    bool softmax;       /* scores are logits for a softmax; else for a sigmoid, class by class */
    bool boxes_first;   /* output 0 is the boxes and output 1 the scores */
};

struct pipit_settings {
    int threads;       /* 1 to 64; 0: as many as the process may run on */
    unsigned cpu_mask; /* PIPIT_CPU_* that may be used; ~0u: all */
    enum pipit_precision precision;
    bool has_normalisation; /* mean and std below count; else what the file says */
    float mean[3], std[3];  /* of bytes 0..255, for R, G, B: input = (byte - mean) / std; std not 0 */
    enum pipit_fit fit;
    int resize; /* PIPIT_FIT_CROP: the shorter side in pixels; 0: input side * 256 / 224 */
    enum pipit_decoder decoder;
    struct pipit_ssd ssd;
    float threshold;          /* detections below this score are left out, 0..1; < 0: the default, 0.5 */
    float nms_iou;            /* boxes of one class that overlap more than this are one object; 0.6 */
    int max_objects;          /* 1 to 1000; 100 */
    float batch_norm_epsilon; /* state dicts; 0: the file's, else the network's usual one */
};

PIPIT_API void pipit_settings_defaults(struct pipit_settings *settings);

/* ---- models -------------------------------------------------------------------------------------------- */

/* Opens a model file; the format is found from its first bytes. settings NULL: defaults; error may be NULL.
 * -ENOENT, -EACCES, -EIO...: the file cannot be read; -EINVAL: it is broken, or no model; -ENOTSUP: it needs
 * an operator, a type or a network that Pipit lacks (the sentence names it); -ENOMEM; -E2BIG: above 1 GiB.
 * The file is not needed afterwards. Meanwhile it may be mapped: then whoever opens it for writing waits (a
 * lease, fcntl(2); the signal for it is SIGURG, which is ignored unless the program has a handler). */
PIPIT_API int pipit_model_open(struct pipit_model **model, const char *path,
                               const struct pipit_settings *settings, struct pipit_error *error);

/* The same from memory. The bytes are not used after the call returns. */
PIPIT_API int pipit_model_open_memory(struct pipit_model **model, const void *bytes, size_t size,
                                      const struct pipit_settings *settings, struct pipit_error *error);

/* A network with seeded random weights: NETWORK[:WIDTH][@RESOLUTION][/int8], NETWORK being mobilenet-v1,
 * mobilenet-v2, mobilenet-v3-small, mobilenet-v3-large, efficientnet-lite0 to -lite4 or
 * ssd-mobilenet-v2. -EINVAL: no such name. */
PIPIT_API int pipit_model_random(struct pipit_model **model, const char *network, uint64_t seed,
                                 const struct pipit_settings *settings, struct pipit_error *error);

PIPIT_API void pipit_model_destroy(struct pipit_model *model); /* takes NULL */

/* ---- tensors ------------------------------------------------------------------------------------------- */

enum pipit_type {
    PIPIT_F32,
    PIPIT_F16,
    PIPIT_U8,
    PIPIT_I8,
    PIPIT_I16,
    PIPIT_I32,
    PIPIT_I64,
    PIPIT_BOOL, /* one byte, 0 or 1 */
};

#define PIPIT_RANK_MAX 8

struct pipit_tensor {
    const char *name; /* UTF-8, "" if it has none */
    enum pipit_type type;
    int rank;             /* 0 to PIPIT_RANK_MAX */
    const int32_t *shape; /* images: batch, height, width, channels, unless channels_first */
    const float *scale;   /* quantisation: real = scale * (value - zero_point) */
    const int32_t *zero_point;
    int scales; /* 0: not quantised; 1; or one for each index of dimension quant_axis */
    int quant_axis;
    bool channels_first; /* batch, channels, height, width */
    void *data;          /* the model's own memory, 64-byte aligned, row-major, little-endian */
    size_t size;         /* bytes */
};

PIPIT_API int pipit_model_inputs(const struct pipit_model *model);
PIPIT_API int pipit_model_outputs(const struct pipit_model *model);
/* Borrowed until the model is destroyed; NULL when there is no such index. Outputs hold the last run's
 * answer. */
PIPIT_API const struct pipit_tensor *pipit_model_input(const struct pipit_model *model, int index);
PIPIT_API const struct pipit_tensor *pipit_model_output(const struct pipit_model *model, int index);
PIPIT_API const char *pipit_type_name(enum pipit_type type); /* "float32" */
PIPIT_API size_t pipit_type_size(enum pipit_type type);      /* bytes */

/* Runs the network on what its input tensors hold. */
PIPIT_API int pipit_model_run(struct pipit_model *model);

/* ---- pictures ------------------------------------------------------------------------------------------ */

#define PIPIT_FOURCC(a, b, c, d)                                                                             \
    ((uint32_t)(a) | (uint32_t)(b) << 8 | (uint32_t)(c) << 16 | (uint32_t)(d) << 24)
#define PIPIT_RGB24 PIPIT_FOURCC('R', 'G', 'B', '3') /* bytes R, G, B */

/* A picture that belongs to someone else, for the length of a call. RGB24 upright is resized exactly as
 * Pillow and torchvision do. Cameras' formats, by their V4L2 fourcc codes (BGR3, XR24, GREY, YUYV, UYVY,
 * NV12, NV21, YU12, YV12 with its planes as Y, U, V, 422P, 444P), and turned pictures are cropped, scaled and
 * converted by libyuv, in this order: of a frame only the pixels that the network gets are converted, where
 * an exact resize would need all of it as RGB first, for each look. Scores differ by some hundredths from
 * those of the same picture as RGB24. */
struct pipit_image {
    uint32_t format;
    int width, height;      /* pixels, 1 to 65500 */
    const uint8_t *data[3]; /* first byte of each plane */
    ptrdiff_t stride[3];    /* bytes from one row to the next */
    bool bt709, full_range; /* Y'CbCr: by ITU-R BT.709, else BT.601; 0..255, else 16..235 */
    bool mirror;            /* left and right change places first, */
    int rotation; /* then it is turned clockwise: 0, 90, 180 or 270; answers are of the turned picture */
};

/* Fits the picture to the first input's size, normalises it and puts it into the input tensor.
 * -EINVAL: the input is no picture of one or three channels, or a side or the rotation is out of range;
 * -ENOTSUP: the format;
 * -ENODATA: nothing says how a float input is normalised (set `mean` and `std`). */
PIPIT_API int pipit_model_set_image(struct pipit_model *model, const struct pipit_image *image,
                                    struct pipit_error *error);

struct pipit_class {
    int index;   /* in the model's output */
    float score; /* probability, 0..1 */
};

/* set_image, run, and the k best classes, best first, equal scores by the lower index. Returns how many.
 * Softmax is applied where the network ends without one. -EINVAL: the model does not answer with classes. */
PIPIT_API int pipit_classify(struct pipit_model *model, const struct pipit_image *image,
                             struct pipit_class *top, int k, struct pipit_error *error);

struct pipit_object {
    int index;    /* class, as the labels count */
    float score;  /* 0..1 */
    float box[4]; /* left, top, right, bottom as fractions of the picture, within 0..1 */
};

/* set_image, run, and at most `max` objects, best first. Returns how many. -EINVAL: the model is no detector.
 */
PIPIT_API int pipit_detect(struct pipit_model *model, const struct pipit_image *image,
                           struct pipit_object *objects, int max, struct pipit_error *error);

/* What the model answers with, after PIPIT_DECODER_AUTO was resolved. */
PIPIT_API enum pipit_decoder pipit_model_decoder(const struct pipit_model *model);

struct pipit_times {
    double preprocess_ms, inference_ms; /* of the last classify or detect */
};
PIPIT_API void pipit_model_times(const struct pipit_model *model, struct pipit_times *times);

/* ---- labels -------------------------------------------------------------------------------------------- */

/* The number of labels and one of them; NULL when there is none of that index. From the file, or set here. */
PIPIT_API int pipit_model_labels(const struct pipit_model *model);
PIPIT_API const char *pipit_model_label(const struct pipit_model *model, int index);
/* Replaces the labels by the lines of a text (UTF-8, LF or CRLF) from line `skip` on. The text is copied. */
PIPIT_API int pipit_model_set_labels(struct pipit_model *model, const char *text, size_t size, int skip);

/* ---- what is inside ------------------------------------------------------------------------------------ */

struct pipit_info {
    const char *format;        /* "TFLite", "PyTorch state dict", "safetensors", "GGUF", "random weights" */
    const char *network;       /* what was recognised, as "MobileNetV3-Small", or "" */
    const char *description;   /* from the file, or "" */
    const char *normalisation; /* where mean and std come from: "settings", "metadata", "input quantisation",
                                  "GGUF metadata" or "none" */
    float mean[3], std[3];     /* valid unless "none" */
    bool float_input;
    int input_width, input_height, input_channels; /* 0 when the first input is no picture */
    int operators;                                 /* in the file */
    int steps;                                     /* after optimisation */
    int64_t macs;                                  /* multiply-accumulates of a run */
    int64_t parameters;                            /* elements of constant tensors */
    size_t arena_bytes;                            /* activations, as planned */
    size_t weight_bytes;                           /* packed weights and tables */
    int threads;
    unsigned cpu; /* PIPIT_CPU_* in use */
    /* As asked for where at least one layer computes in it, else F32; INT8 where it was asked for. */
    enum pipit_precision precision;
    bool unlike; /* threads run on processors of unlike speed, and the fast ones do more of the work */
};
PIPIT_API void pipit_model_info(const struct pipit_model *model, struct pipit_info *info);

struct pipit_operator {
    char name[64]; /* as in the file's format, "CONV_2D" */
    int count;
    const char *why; /* NULL: can be run; else why not */
};

/* Looks into a file without planning it. Lists each kind of operator once, in the file's order of first use;
 * returns how many kinds there are (may be more than max), or an error as pipit_model_open(), but not
 * -ENOTSUP. */
PIPIT_API int pipit_file_operators(const char *path, struct pipit_operator *operators, int max,
                                   struct pipit_error *error);

struct pipit_step {
    const char *name;               /* the output tensor's name */
    const char *operation;          /* "CONV_2D+RELU6" */
    const char *kernel;             /* "conv_f32_avx2" */
    enum pipit_type type;           /* of its output */
    enum pipit_precision precision; /* in which it multiplies */
    int32_t out_shape[4];
    int64_t macs;
    bool joined; /* made row by row as the next steps go, up to one that is not joined: no output in the arena
                  */
    size_t arena_offset; /* of its first output */
    size_t output_bytes;
    double ms; /* of the last pipit_model_run_timed(), with the joined ones before; of those 0 */
};
PIPIT_API int pipit_model_steps(const struct pipit_model *model);
PIPIT_API int pipit_model_step(const struct pipit_model *model, int index, struct pipit_step *step);
/* A run that also takes the time of every step; slower than pipit_model_run() by two clock readings a step.
 */
PIPIT_API int pipit_model_run_timed(struct pipit_model *model);

/* Multiply-accumulates a second in this precision that so many threads (1 or more) at once reach in registers
 * alone, with the CPU features `cpu` that Pipit makes use of: no network can be faster. Measured, in some 20
 * ms. 0: these features have no such arithmetic. */
PIPIT_API double pipit_cpu_peak(unsigned cpu, enum pipit_precision precision, int threads);

/* ---- from float to int8 -------------------------------------------------------------------------------- */

struct pipit_quantizer; /* opaque: a float model and what its layers answered so far */

/* How the range of a layer's values is chosen, that 256 steps are spent on. */
enum pipit_calibration {
    PIPIT_CALIBRATION_MSE,        /* the least squared error: what is rare may be cut off */
    PIPIT_CALIBRATION_MINMAX,     /* all that was seen */
    PIPIT_CALIBRATION_PERCENTILE, /* all but 1 in 20,000 on either side */
};

/* Opens a float model, to be computed in float32 whatever the precision; the file's bytes are kept until it
 * is destroyed. As pipit_model_open(), and -EINVAL: the model is quantised already, wholly or in part, or its
 * input is no picture. */
PIPIT_API int pipit_quantizer_create(struct pipit_quantizer **quantizer, const char *path,
                                     const struct pipit_settings *settings, struct pipit_error *error);
PIPIT_API void pipit_quantizer_destroy(struct pipit_quantizer *quantizer); /* takes NULL */

/* Runs the float model on a picture as it will have to recognise, and remembers what its layers answer: some
 * dozens make a good file. Errors as pipit_model_set_image(). */
PIPIT_API int pipit_quantizer_add(struct pipit_quantizer *quantizer, const struct pipit_image *image,
                                  struct pipit_error *error);

struct pipit_quantize {
    enum pipit_calibration calibration;
    float keep_below;         /* layers whose own_db (below) is less than this stay in float */
    int keep_worst;           /* and the worst others, so many that they are this many */
    const char *const *label; /* labels of the file; NULL: the model's own */
    int labels;
};
PIPIT_API void pipit_quantize_defaults(struct pipit_quantize *how);

/* Makes the file in memory, by TensorFlow Lite's 8-bit quantisation specification: weights int8 per channel,
 * activations int8; what has no int8 form stays in float. Outputs are float; the input is int8 where a byte
 * of the picture is one step of it, else float. Labels and normalisation are in its metadata. May be called
 * again with other choices. -ENODATA: no picture was added; -ENOTSUP: nothing in it can be int8, or something
 * in it cannot be written; -ENOMEM. */
PIPIT_API int pipit_quantizer_make(struct pipit_quantizer *quantizer, const struct pipit_quantize *how,
                                   struct pipit_error *error);
/* The file that was made last, until the next is made; NULL: none. */
PIPIT_API const void *pipit_quantizer_file(const struct pipit_quantizer *quantizer, size_t *size);

struct pipit_layer {
    const char *name;      /* the output tensor's name */
    const char *operation; /* "CONV_2D+RELU6" */
    const char *why;       /* it stays in float; NULL: it is int8 */
    int64_t macs;
    /* Signal to noise of its answer against the float model's on the first pictures, in decibels (10 log10 of
     * squares); INFINITY: none. own: on the float model's own values, rounded; all: with the errors of the
     * layers before it. */
    float own_db, all_db;
};
/* Layers of the file that was made last; those that only change a shape are left out. */
PIPIT_API int pipit_quantizer_layers(const struct pipit_quantizer *quantizer);
PIPIT_API int pipit_quantizer_layer(const struct pipit_quantizer *quantizer, int index,
                                    struct pipit_layer *layer);

#ifdef __cplusplus
}
#endif
#endif
