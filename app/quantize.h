/* SPDX-License-Identifier: MIT */
/* The parts of pipit quantize. */
#ifndef PIPIT_APP_QUANTIZE_H
#define PIPIT_APP_QUANTIZE_H

#include "app/photos.h"
#include "capture/photo/list.h"

/* How the answers of the int8 model differ from those of the float model. */
struct answers {
    int photos;
    /* Classifiers. */
    int same_best;                   /* photos with the same best class */
    double score_change, score_most; /* of the float model's best class: mean and greatest */
    /* Detectors, at the model's threshold. A match has the same class, and boxes that overlap by half. */
    int objects, matched, extra; /* of the float model; found again; of the int8 model alone */
    double overlap;              /* mean intersection over union of matches */
};

struct quantized {
    struct opened opened; /* the float model */
    struct pipit_quantizer *quantizer;
    struct pipit_model *model; /* the int8 model */
    struct photo_list list;
    struct answers answers;
    struct pipit_quantize how;
    char *output, *card; /* paths; card NULL: none is needed */
    size_t float_bytes, bytes;
    int photos; /* that could be read */
};

/* Asks both models about a photo. EX_OK, or an exit status with a sentence. */
int answers_add(struct answers *answers, const struct quantized *q, const struct photo *photo,
                struct pipit_error *error);
/* The means, when all photos were added. */
void answers_finish(struct answers *answers);

void quantized_print_people(const struct quantized *q, const struct options *options);
void quantized_print_programs(const struct quantized *q);

#endif
