/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Module parameters of both modules: numbers that have bounds, and a line in
 * the log that says why a value has been refused.
 */
#ifndef PVCALLS_PARAM_H
#define PVCALLS_PARAM_H

#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/minmax.h>
#include <linux/moduleparam.h>
#include <linux/printk.h>
#include <linux/string.h>

/* Characters of a refused value that the log shows at most */
#define PVCALLS_PARAM_SHOWN	40

/**
 * pvcalls_param_err() - say in the log why a value has been refused
 * @name: the parameter
 * @val: the value, which may end with a newline
 * @fmt: what is wrong with the value, a format as of printk()
 * @...: its arguments
 *
 * Context: any.
 */
#define pvcalls_param_err(name, val, fmt, ...) do { \
	const char *__val = (val); \
	\
	pr_err("%s: %.*s: " fmt "\n", (name), \
	       (int)min_t(size_t, strcspn(__val, "\n"), PVCALLS_PARAM_SHOWN), \
	       __val, ##__VA_ARGS__); \
} while (0)

/**
 * pvcalls_param_parse() - read a number that has bounds
 * @name: the parameter
 * @val: the value as written, decimal, octal or hexadecimal
 * @low: least number
 * @high: greatest number
 * @n: the number; unchanged after an error
 *
 * The log says why a value is refused.
 *
 * Context: any.
 * Return: 0 or -EINVAL.
 */
static inline int pvcalls_param_parse(const char *name, const char *val,
				      unsigned int low, unsigned int high,
				      unsigned int *n)
{
	unsigned int number;

	if (kstrtouint(val, 0, &number) || number < low || number > high) {
		pvcalls_param_err(name, val, "not a number from %u to %u",
				  low, high);
		return -EINVAL;
	}
	*n = number;
	return 0;
}

/**
 * PVCALLS_PARAM_UINT_HOOK() - a number that has bounds, and work when it is set
 * @name: the parameter
 * @first: the default
 * @low: least number
 * @high: greatest number
 * @perm: mode of the file in sysfs
 * @hook: void (*)(void), called after the number has been set; may sleep. At
 *	load the parameters are set before the module's init function runs
 *
 * Defines the variable param_NAME, an unsigned int, which is to be read with
 * READ_ONCE() if @perm lets anyone write.
 *
 * Context: outside of functions.
 */
#define PVCALLS_PARAM_UINT_HOOK(name, first, low, high, perm, hook) \
	static unsigned int param_##name = (first); \
	static int param_set_##name(const char *val, \
				    const struct kernel_param *kp) \
	{ \
		unsigned int n; \
		int err = pvcalls_param_parse(#name, val, low, high, &n); \
		\
		if (err) \
			return err; \
		WRITE_ONCE(param_##name, n); \
		hook(); \
		return 0; \
	} \
	static const struct kernel_param_ops param_ops_##name = { \
		.set = param_set_##name, \
		.get = param_get_uint, \
	}; \
	module_param_cb(name, &param_ops_##name, &param_##name, perm)

/* The hook of a number that is only read when it is needed */
static inline void pvcalls_param_no_hook(void)
{
}

/**
 * PVCALLS_PARAM_UINT() - a number that has bounds
 * @name: the parameter
 * @first: the default
 * @low: least number
 * @high: greatest number
 * @perm: mode of the file in sysfs
 *
 * Defines param_NAME as PVCALLS_PARAM_UINT_HOOK() does.
 *
 * Context: outside of functions.
 */
#define PVCALLS_PARAM_UINT(name, first, low, high, perm) \
	PVCALLS_PARAM_UINT_HOOK(name, first, low, high, perm, \
				pvcalls_param_no_hook)

#endif /* PVCALLS_PARAM_H */
