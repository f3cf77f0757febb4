/* SPDX-License-Identifier: MIT */
/* Messages to the people who run Pipit: one line each, on standard error, as "pipit: TEXT". */
#ifndef PIPIT_BASE_LOG_H
#define PIPIT_BASE_LOG_H

enum log_level { LOG_SILENT, LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG };

/* Messages above this level are dropped. The default is LOG_WARNING. Not thread safe: set it once, early. */
void log_set_level(enum log_level level);

void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
