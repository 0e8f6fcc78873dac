# SPDX-License-Identifier: GPL-2.0
"""What `make bench` is made of: runs the lab, keeps figures, prints tables, draws plots, and guards ratios."""
