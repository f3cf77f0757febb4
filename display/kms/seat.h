/* SPDX-License-Identifier: MIT */
/*
 * The seat of a login session: logind or seatd opens the card, makes whoever is in front its master, keeps
 * the console's text away and tells of switched terminals. Through libseat, which knows both. Without a
 * session (a service, a remote shell, sudo) there is no seat, and cards and terminal are opened directly.
 */
#ifndef PIPIT_DISPLAY_KMS_SEAT_H
#define PIPIT_DISPLAY_KMS_SEAT_H

struct kms_seat;

/* NULL: no session on a seat ($XDG_SEAT, pam_systemd(8)), nobody who gives it out or another who has it, or
 * it is not in front; or a build without libseat. Waits for an answer, for two seconds at most. */
struct kms_seat *kms_seat_open(void);
void kms_seat_close(struct kms_seat *seat); /* takes NULL; the terminal is as before */
int kms_seat_fd(const struct kms_seat *seat);
/* A card's descriptor and its number at the seat, or a negative errno. */
int kms_seat_take(struct kms_seat *seat, const char *path, int *device);
void kms_seat_give_back(struct kms_seat *seat, int device); /* the descriptor is closed by the caller */
/* enum console_event, or a negative errno: whoever gave it out is gone. */
int kms_seat_dispatch(struct kms_seat *seat);
void kms_seat_let_go(struct kms_seat *seat); /* after CONSOLE_LEAVES */

#endif
