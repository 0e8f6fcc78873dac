/* SPDX-License-Identifier: GPL-2.0 */
/* Tables of names with values. */
#ifndef PVCALLSCTL_TABLE_H
#define PVCALLSCTL_TABLE_H

#include <stdbool.h>

#define MAX_COLUMNS	32

/**
 * struct table - lines of names with values, as the modules print them
 * @columns: how many names there are
 * @name: they, in the order of their first appearance
 * @rows: how many lines there are
 * @cell: values; cell[row * MAX_COLUMNS + column], NULL where there is none
 */
struct table {
	int columns;
	char *name[MAX_COLUMNS];
	int rows;
	char **cell;
};

void *must(void *p);
bool is_number(const char *s);

void table_line(struct table *t, char *line);
bool table_read(struct table *t, const char *path);
void table_free(struct table *t);

void print_table(const struct table *t);
void print_json(const struct table *t);
void print_string(const char *s);

#endif /* PVCALLSCTL_TABLE_H */
