// SPDX-License-Identifier: GPL-2.0
/* numa/ compiled for this module: kbuild wants sources in its directory. */
#include "../../numa/nodemap.c"
