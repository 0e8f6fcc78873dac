// SPDX-License-Identifier: GPL-2.0
/* kbuild wants the source beside the module. */
#include "../../numa/balance.c"
