# SPDX-License-Identifier: GPL-2.0
"""The parts of the lab: packages, images, builds, the machine, scenarios and their verdicts."""
