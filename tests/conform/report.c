// SPDX-License-Identifier: GPL-2.0
/* See report.h. */
#define _GNU_SOURCE
#include "report.h"
#include <fnmatch.h>

#define MAX_KNOWN	200

struct known {
	char what[160];
	char reason[240];
	unsigned int seen;
};

static struct known known[MAX_KNOWN];
static unsigned int nr_known;

static void read_known(const char *path)
{
	char text[400], *colon;
	FILE *f = fopen(path, "r");

	if (!f) {
		perror(path);
		exit(2);
	}
	while (fgets(text, sizeof(text), f)) {
		text[strcspn(text, "\n")] = 0;
		if (!text[0] || text[0] == '#')
			continue;
		colon = strstr(text, ": ");
		if (!colon || nr_known == MAX_KNOWN) {
			fprintf(stderr, "%s: what is \"%s\"?\n", path, text);
			exit(2);
		}
		*colon = 0;
		snprintf(known[nr_known].what, sizeof(known[0].what), "%.159s",
			 text);
		snprintf(known[nr_known].reason, sizeof(known[0].reason),
			 "%.239s", colon + 2);
		nr_known++;
	}
	fclose(f);
}

static struct known *find_known(const char *test, const char *label)
{
	char what[160];
	unsigned int i;

	snprintf(what, sizeof(what), "%s/%s", test, label);
	for (i = 0; i < nr_known; i++)
		if (!fnmatch(known[i].what, what, 0))
			return &known[i];
	return NULL;
}

/* ---- what differs ---- */

static const struct line no_line = { "(nothing more)", "" };

static const struct line *line_of(const struct trace *t, unsigned int i)
{
	return i < t->lines ? &t->line[i] : &no_line;
}

static bool lines_differ(const struct line *a, const struct line *b)
{
	return strcmp(a->label, b->label) || strcmp(a->value, b->value);
}

static unsigned int lines_of(const struct result *r)
{
	return r->native->lines > r->ours->lines ? r->native->lines :
						   r->ours->lines;
}

static bool skipped(const struct result *r)
{
	return r->native->skip[0] || r->ours->skip[0];
}

/* Calls @fn for each line that differs. */
static unsigned int for_each_difference(const struct result *r,
	void (*fn)(const struct result *r, const struct line *native,
		   const struct line *ours, void *arg), void *arg)
{
	unsigned int i, n = 0;

	if (skipped(r))
		return 0;
	for (i = 0; i < lines_of(r); i++) {
		const struct line *a = line_of(r->native, i);
		const struct line *b = line_of(r->ours, i);

		if (!lines_differ(a, b))
			continue;
		n++;
		if (fn)
			fn(r, a, b, arg);
	}
	return n;
}

struct verdict {
	unsigned int known, unknown;
};

static const char *label_of(const struct line *native, const struct line *ours)
{
	return native == &no_line ? ours->label : native->label;
}

static void judge(const struct result *r, const struct line *native,
		  const struct line *ours, void *arg)
{
	struct known *k = find_known(r->test->name, label_of(native, ours));
	struct verdict *v = arg;

	if (k) {
		k->seen++;
		v->known++;
	} else {
		v->unknown++;
	}
}

static const char *status(const struct result *r, struct verdict *v)
{
	memset(v, 0, sizeof(*v));
	if (skipped(r))
		return "skipped";
	for_each_difference(r, judge, v);
	/* a case that does not come to its end over TCP is no yardstick */
	v->unknown += !r->native->done;
	return v->unknown ? "DIFFERS" : v->known ? "known" : "same";
}

/* ---- what was compared ---- */

/* Different words in a place of all labels: the calls, or the options */
#define MAX_WORDS	400

struct words {
	char word[MAX_WORDS][40];
	unsigned int n;
};

static void add_word(struct words *w, const char *word, size_t len)
{
	unsigned int i;

	for (i = 0; i < w->n; i++)
		if (strlen(w->word[i]) == len && !memcmp(w->word[i], word, len))
			return;
	if (w->n == MAX_WORDS || len >= sizeof(w->word[0]))
		return;
	memcpy(w->word[w->n], word, len);
	w->word[w->n++][len] = 0;
}

static void count_words(const struct result *r, struct words *calls,
			struct words *options)
{
	unsigned int i;

	if (skipped(r))
		return;
	for (i = 0; i < r->native->lines; i++) {
		const char *label = r->native->line[i].label;
		size_t len = strcspn(label, " ");

		add_word(calls, label, len);
		if (!strncmp(label, "getsockopt ", 11) ||
		    !strncmp(label, "setsockopt ", 11) ||
		    !strncmp(label, "ioctl ", 6)) {
			label += len + 1;
			add_word(options, label, strcspn(label, " "));
		}
	}
}

/* ---- what is printed ---- */

static void print_difference(const struct result *r, const struct line *native,
			     const struct line *ours, void *arg)
{
	struct known *k = find_known(r->test->name, label_of(native, ours));

	(void)arg;
	printf("    %-34s TCP: %-28s ours: %s%s%s%s\n", label_of(native, ours),
	       native->value,
	       strcmp(native->label, ours->label) ? ours->label : "",
	       strcmp(native->label, ours->label) ? " " : "", ours->value,
	       k ? "  [known]" : "");
}

static void print_trace(const struct result *r)
{
	unsigned int i;

	for (i = 0; i < lines_of(r); i++) {
		const struct line *a = line_of(r->native, i);
		const struct line *b = line_of(r->ours, i);

		if (!lines_differ(a, b))
			printf("    %s = %s\n", a->label, a->value);
		else
			print_difference(r, a, b, NULL);
	}
}

void report_progress(const struct result *r)
{
	/* known ones are judged by the table */
	printf("%s %.1f s %.1f s%s\n", r->test->name, r->native->seconds,
	       r->ours->seconds,
	       for_each_difference(r, NULL, NULL) ? " differs" : "");
	fflush(stdout);
}

static void json_text(FILE *f, const char *text)
{
	fputc('"', f);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			fputc('\\', f);
		fputc(*text, f);
	}
	fputc('"', f);
}

struct json_state {
	FILE *f;
	bool more;
};

static void json_difference(const struct result *r, const struct line *native,
			    const struct line *ours, void *arg)
{
	struct known *k = find_known(r->test->name, label_of(native, ours));
	struct json_state *s = arg;

	fprintf(s->f, "%s\n    {\"call\": ", s->more ? "," : "");
	s->more = true;
	json_text(s->f, label_of(native, ours));
	fputs(", \"tcp\": ", s->f);
	json_text(s->f, native->value);
	fputs(", \"ours\": ", s->f);
	json_text(s->f, ours->value);
	fputs(", \"known\": ", s->f);
	if (k)
		json_text(s->f, k->reason);
	else
		fputs("null", s->f);
	fputc('}', s->f);
}

static void write_json(const char *path, const struct result *results,
		       unsigned int n)
{
	FILE *f = fopen(path, "w");
	struct verdict v;
	unsigned int i;

	if (!f) {
		perror(path);
		exit(2);
	}
	fputs("[", f);
	for (i = 0; i < n; i++) {
		struct json_state s = { .f = f };

		fprintf(f, "%s\n  {\"case\": ", i ? "," : "");
		json_text(f, results[i].test->name);
		fprintf(f, ", \"theme\": \"%s\", \"status\": \"%s\", \"lines\": %u, \"differences\": [",
			results[i].theme, status(&results[i], &v),
			results[i].native->lines);
		for_each_difference(&results[i], json_difference, &s);
		fputs("]}", f);
	}
	fputs("\n]\n", f);
	if (fclose(f)) {
		perror(path);
		exit(2);
	}
}

static void print_case(const struct result *r, bool traces)
{
	struct verdict v;
	const char *s = status(r, &v);

	printf("%-12s %-30s %4u  %s", r->theme, r->test->name, lines_of(r), s);
	if (skipped(r))
		printf(": %s", r->native->skip[0] ? r->native->skip :
						    r->ours->skip);
	putchar('\n');
	if (traces)
		print_trace(r);
	else
		for_each_difference(r, print_difference, NULL);
}

int report(const struct result *results, unsigned int n, const char *known_path,
	   const char *json, bool traces, bool all)
{
	unsigned int i, lines = 0, differ = 0, as_known = 0, skips = 0, bad = 0;
	unsigned int unknown_lines = 0, known_lines = 0;
	static struct words calls, options;

	if (known_path)
		read_known(known_path);
	printf("%-12s %-30s %4s\n", "theme", "case", "said");
	for (i = 0; i < n; i++) {
		struct verdict v;

		print_case(&results[i], traces);
		status(&results[i], &v);
		lines += lines_of(&results[i]);
		differ += !!v.unknown;
		as_known += !v.unknown && v.known;
		unknown_lines += v.unknown;
		known_lines += v.known;
		skips += skipped(&results[i]);
		count_words(&results[i], &calls, &options);
	}
	if (json)
		write_json(json, results, n);
	for (i = 0; all && i < nr_known; i++) {
		if (known[i].seen)
			continue;
		printf("%s: %s is said to differ, and does not\n", known_path,
		       known[i].what);
		bad++;
	}
	printf("%u cases: %u same, %u differ, %u as known, %u skipped; %u results compared, %u differ and %u more as known; %u calls, %u options and requests\n",
	       n, n - differ - as_known - skips, differ, as_known, skips, lines,
	       unknown_lines, known_lines, calls.n, options.n);
	return differ || bad || !n;
}
