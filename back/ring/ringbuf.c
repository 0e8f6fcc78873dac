// SPDX-License-Identifier: GPL-2.0
/* This module's own object of the shared code. */
#include "../../ringbuf/ringbuf.c"
