// SPDX-License-Identifier: GPL-2.0
/* See scope.h. */
#include <linux/cgroup.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/sysctl.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>

#include "pvcalls_compat.h"
#include "scope.h"

enum { PVC_CAPTURE_OFF, PVC_CAPTURE_ALL, PVC_CAPTURE_CGROUP };

static const char * const pvc_capture_names[] = {
	[PVC_CAPTURE_OFF] = "off",
	[PVC_CAPTURE_ALL] = "all",
	[PVC_CAPTURE_CGROUP] = "cgroup",
};

static int capture = PVC_CAPTURE_ALL;

static int capture_set(const char *val, const struct kernel_param *kp)
{
	int i = sysfs_match_string(pvc_capture_names, val);

	if (i < 0) {
		pr_err("capture is off, all or cgroup\n");
		return i;
	}
	WRITE_ONCE(capture, i);
	return 0;
}

static int capture_get(char *buf, const struct kernel_param *kp)
{
	return sysfs_emit(buf, "%s\n", pvc_capture_names[capture]);
}

static const struct kernel_param_ops capture_ops = {
	.set = capture_set,
	.get = capture_get,
};

module_param_cb(capture, &capture_ops, NULL, 0644);
MODULE_PARM_DESC(capture,
		 "Which new sockets of programs go through the backend: off, all, or those of the processes in capture_cgroups (default all)");

/* Most cgroups that a parameter names */
#define PVC_MAX_CGROUPS	32

/**
 * struct pvc_cgroups - what a parameter names
 * @rcu: for freeing the object
 * @text: the parameter as it was written
 * @n: number of cgroups
 * @cgroup: the cgroups, each with a reference
 */
struct pvc_cgroups {
	struct rcu_head rcu;
	char *text;
	unsigned int n;
	struct cgroup *cgroup[PVC_MAX_CGROUPS];
};

/* One for each parameter; written under kernel_param_lock() */
static struct pvc_cgroups __rcu *pvc_captured, *pvc_excepted;

static void pvc_cgroups_free(struct pvc_cgroups *cgroups)
{
	if (!cgroups)
		return;
	while (cgroups->n)
		cgroup_put(cgroups->cgroup[--cgroups->n]);
	kfree(cgroups->text);
	kfree(cgroups);
}

static int pvc_cgroups_add(struct pvc_cgroups *cgroups, char *name)
{
	struct cgroup *cgroup;
	char *path;

	if (cgroups->n == PVC_MAX_CGROUPS) {
		pr_err("more than %u cgroups\n", PVC_MAX_CGROUPS);
		return -E2BIG;
	}
	path = kasprintf(GFP_KERNEL, "/%s", name + (*name == '/'));
	if (!path)
		return -ENOMEM;
	cgroup = cgroup_get_from_path(path);
	if (IS_ERR(cgroup))
		pr_err("no cgroup %s in the unified hierarchy\n",
		       path);
	else
		cgroups->cgroup[cgroups->n++] = cgroup;
	kfree(path);
	return PTR_ERR_OR_ZERO(cgroup);
}

static struct pvc_cgroups *pvc_cgroups_parse(const char *val)
{
	struct pvc_cgroups *cgroups = kzalloc(sizeof(*cgroups), GFP_KERNEL);
	char *copy, *rest, *name;
	int ret = 0;

	copy = kstrdup(val, GFP_KERNEL);
	if (cgroups)
		cgroups->text = kstrdup(val, GFP_KERNEL);
	if (!copy || !cgroups || !cgroups->text) {
		ret = -ENOMEM;
		goto out;
	}
	strim(cgroups->text);
	rest = copy;
	while (!ret && (name = strsep(&rest, ",\n ")))
		if (*name)
			ret = pvc_cgroups_add(cgroups, name);
out:
	kfree(copy);
	if (!ret)
		return cgroups;
	pvc_cgroups_free(cgroups);
	return ERR_PTR(ret);
}

static int cgroups_set(const char *val, const struct kernel_param *kp)
{
	struct pvc_cgroups __rcu **where = kp->arg;
	struct pvc_cgroups *cgroups = pvc_cgroups_parse(val);

	if (IS_ERR(cgroups))
		return PTR_ERR(cgroups);
	cgroups = rcu_replace_pointer(*where, cgroups, true);
	synchronize_rcu();
	pvc_cgroups_free(cgroups);
	return 0;
}

static int cgroups_get(char *buf, const struct kernel_param *kp)
{
	struct pvc_cgroups __rcu **where = kp->arg;
	struct pvc_cgroups *cgroups = rcu_dereference_protected(*where, true);

	return sysfs_emit(buf, "%s\n", cgroups ? cgroups->text : "");
}

static void cgroups_free(void *arg)
{
	struct pvc_cgroups __rcu **where = arg;

	pvc_cgroups_free(rcu_replace_pointer(*where, NULL, true));
}

static const struct kernel_param_ops cgroups_ops = {
	.set = cgroups_set,
	.get = cgroups_get,
	.free = cgroups_free,
};

module_param_cb(capture_cgroups, &cgroups_ops, &pvc_captured, 0644);
MODULE_PARM_DESC(capture_cgroups,
		 "With capture=cgroup: paths of cgroups (version 2), separated by commas or blanks; they and those below them are meant (default none)");

module_param_cb(capture_except, &cgroups_ops, &pvc_excepted, 0644);
MODULE_PARM_DESC(capture_except,
		 "Paths of cgroups whose processes' sockets are left alone, likewise (default none)");

/* Is this process in a cgroup that a parameter names, or below one? */
static bool pvc_cgroups_have(struct pvc_cgroups __rcu **where)
{
	struct pvc_cgroups *cgroups;
	bool found = false;
	unsigned int i;

	rcu_read_lock();
	cgroups = rcu_dereference(*where);
	for (i = 0; cgroups && !found && i < cgroups->n; i++)
		found = cgroup_is_descendant(task_dfl_cgroup(current),
					     cgroups->cgroup[i]);
	rcu_read_unlock();
	return found;
}

/**
 * struct pvc_net - a network namespace
 * @net: the namespace
 * @capture: sockets of the namespace may be ours
 * @table: net.pvcalls.capture, and an end for kernels that want one
 * @header: registration of @table
 */
struct pvc_net {
	struct net *net;
	u8 capture;
	struct ctl_table table[2];
	struct ctl_table_header *header;
};

static unsigned int pvc_net_id;

/*
 * The namespace's own root may not write: whoever has made the namespace may
 * have wanted it to have no network. That root may open the file, however, and
 * have a privileged program write to it as its standard output. So the writer
 * must be in the namespace, where root's programs have no privileges.
 */
static int pvc_sysctl_capture(PVCALLS_SYSCTL_TABLE *table, int write,
			      void *buffer, size_t *len, loff_t *pos)
{
	const struct pvc_net *pn = container_of(table->data, struct pvc_net,
						capture);

	if (write && (!capable(CAP_NET_ADMIN) ||
		      !net_eq(current->nsproxy->net_ns, pn->net)))
		return -EPERM;
	return proc_dou8vec_minmax(table, write, buffer, len, pos);
}

static int __net_init pvc_net_init(struct net *net)
{
	struct pvc_net *pn = net_generic(net, pvc_net_id);

	pn->net = net;
	pn->capture = net_eq(net, &init_net);
	pn->table[0].procname = "capture";
	pn->table[0].data = &pn->capture;
	pn->table[0].maxlen = sizeof(pn->capture);
	pn->table[0].mode = 0644;
	pn->table[0].proc_handler = pvc_sysctl_capture;
	pn->table[0].extra1 = SYSCTL_ZERO;
	pn->table[0].extra2 = SYSCTL_ONE;
	pn->header = pvcalls_register_sysctl(net, "net/pvcalls", pn->table, 1);
	return pn->header ? 0 : -ENOMEM;
}

static void __net_exit pvc_net_exit(struct net *net)
{
	struct pvc_net *pn = net_generic(net, pvc_net_id);

	unregister_net_sysctl_table(pn->header);
}

static struct pernet_operations pvc_net_ops = {
	.init = pvc_net_init,
	.exit = pvc_net_exit,
	.id = &pvc_net_id,
	.size = sizeof(struct pvc_net),
};

/**
 * pvc_scope_allows() - may this process have a socket of ours?
 * @net: namespace of the socket
 *
 * Every socket is asked for, also if a program names a protocol of ours. In a
 * namespace that the operator has not opened, and in a cgroup that is kept out,
 * no protocol leads to the backend.
 *
 * Context: any of a process; does not sleep.
 * Return: true if so.
 */
bool pvc_scope_allows(const struct net *net)
{
	const struct pvc_net *pn = net_generic(net, pvc_net_id);

	if (!READ_ONCE(pn->capture))
		return false;
	if (READ_ONCE(capture) == PVC_CAPTURE_CGROUP &&
	    !pvc_cgroups_have(&pvc_captured))
		return false;
	return !pvc_cgroups_have(&pvc_excepted);
}

/**
 * pvc_scope_has() - is a native socket that this process makes to be taken?
 * @net: namespace of the socket
 *
 * Context: any of a process; does not sleep.
 * Return: true if so.
 */
bool pvc_scope_has(const struct net *net)
{
	return READ_ONCE(capture) != PVC_CAPTURE_OFF && pvc_scope_allows(net);
}

/**
 * pvc_scope_init() - begin to follow namespaces
 *
 * Context: process, may sleep.
 * Return: 0 or a negative error.
 */
int pvc_scope_init(void)
{
	return register_pernet_subsys(&pvc_net_ops);
}

/**
 * pvc_scope_exit() - undo pvc_scope_init()
 *
 * Context: process, may sleep; pvc_scope_has() is not called any more.
 */
void pvc_scope_exit(void)
{
	unregister_pernet_subsys(&pvc_net_ops);
}
