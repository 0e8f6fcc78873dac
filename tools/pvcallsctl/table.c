// SPDX-License-Identifier: GPL-2.0
/* Tables of names with values, and how they are printed; see table.h. */
#define _GNU_SOURCE
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "table.h"

void *must(void *p)
{
	if (p)
		return p;
	fputs("pvcallsctl: no memory\n", stderr);
	exit(1);
}

static int table_column(struct table *t, const char *name)
{
	int i;

	for (i = 0; i < t->columns; i++)
		if (!strcmp(t->name[i], name))
			return i;
	if (i == MAX_COLUMNS)
		return -1;
	t->name[t->columns++] = must(strdup(name));
	return i;
}

void table_line(struct table *t, char *line)
{
	char *save, *name = strtok_r(line, " \n", &save), *value;
	char **row;
	int i;

	if (!name)
		return;
	t->cell = must(realloc(t->cell, sizeof(*t->cell) * MAX_COLUMNS *
			       (t->rows + 1)));
	row = t->cell + (size_t)t->rows++ * MAX_COLUMNS;
	memset(row, 0, sizeof(*row) * MAX_COLUMNS);
	for (; name; name = strtok_r(NULL, " \n", &save)) {
		value = strtok_r(NULL, " \n", &save);
		i = table_column(t, name);
		/* one that comes again is not looked at */
		if (value && i >= 0 && !row[i])
			row[i] = must(strdup(value));
	}
}

/* Adds a file's lines; false if it can't be read, with errno. */
bool table_read(struct table *t, const char *path)
{
	FILE *f = fopen(path, "r");
	char *line = NULL;
	size_t size = 0;
	bool ok;

	if (!f)
		return false;
	while (getline(&line, &size, f) > 0)
		table_line(t, line);
	ok = !ferror(f);
	free(line);
	fclose(f);
	return ok;
}

void table_free(struct table *t)
{
	int i;

	for (i = 0; i < t->rows * MAX_COLUMNS; i++)
		free(t->cell[i]);
	for (i = 0; i < t->columns; i++)
		free(t->name[i]);
	free(t->cell);
	memset(t, 0, sizeof(*t));
}

bool is_number(const char *s)
{
	s += *s == '-';
	/* JSON knows no leading zeros */
	if (!isdigit((unsigned char)*s) || (*s == '0' && s[1]))
		return false;
	return !s[strspn(s, "0123456789")];
}

void print_table(const struct table *t)
{
	int width[MAX_COLUMNS], row, i;

	for (i = 0; i < t->columns; i++) {
		width[i] = strlen(t->name[i]);
		for (row = 0; row < t->rows; row++) {
			const char *s = t->cell[row * MAX_COLUMNS + i];

			if (s && (int)strlen(s) > width[i])
				width[i] = strlen(s);
		}
		printf("%*s%s", width[i], t->name[i],
		       i < t->columns - 1 ? "  " : "\n");
	}
	for (row = 0; row < t->rows; row++)
		for (i = 0; i < t->columns; i++)
			printf("%*s%s", width[i],
			       t->cell[row * MAX_COLUMNS + i] ?: "-",
			       i < t->columns - 1 ? "  " : "\n");
}

void print_string(const char *s)
{
	putchar('"');
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			putchar('\\');
		if ((unsigned char)*s < ' ')
			printf("\\u%04x", *s);
		else
			putchar(*s);
	}
	putchar('"');
}

void print_json(const struct table *t)
{
	int row, i, n;

	putchar('[');
	for (row = 0; row < t->rows; row++) {
		printf("%s{", row ? ",\n " : "");
		for (i = n = 0; i < t->columns; i++) {
			const char *s = t->cell[row * MAX_COLUMNS + i];

			if (!s)
				continue;
			if (n++)
				printf(", ");
			print_string(t->name[i]);
			printf(": ");
			if (is_number(s))
				printf("%s", s);
			else
				print_string(s);
		}
		putchar('}');
	}
	puts("]");
}
