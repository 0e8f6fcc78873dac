// SPDX-License-Identifier: GPL-2.0
/* ringbuf/ compiled for this module: kbuild wants sources in its directory. */
#include "../../ringbuf/ringbuf.c"
