/* What the status of a row is to say, and whether it is ours to say. */
#include "core/must.h"
#include "ctl/cluster_priv.h"
#include "wire/record_tree.h"
#include "wire/tree_json.h"

bool
ctl_find_wanted(const struct ctl_cluster *cluster, bool is_calm,
    const struct ctl_object_row *row, struct arena *arena,
    struct tree_node **status)
{
	const struct ctl_cluster_options *options = &cluster->options;
	enum gw_kind kind = (enum gw_kind)row->row.kind;
	const struct gw_status_tag *tag = gw_state_status_tag(options->state,
	    kind, ctl_row_namespace(&row->row), ctl_row_name(&row->row));
	const void *record = ctl_statuses_get(options->statuses, kind, tag);
	struct text json;

	*status = NULL;
	if (is_calm && ctl_statuses_is_late(tag))
		return false;
	if (record == NULL)
		return !ctl_statuses_is_waiting(tag);
	text_init(&json);
	wire_record_to_json(&json, gw_status_type(kind), record);
	*status = wire_tree_from_json(text_slice(&json), arena);
	text_fini(&json);
	must(*status != NULL);
	return true;
}

bool
ctl_may_be_written(
    const struct ctl_object_row *row, const struct tree_node *wanted)
{
	enum gw_kind kind = (enum gw_kind)row->row.kind;

	return wanted != NULL || gw_kind_is_route(kind) ||
	    kind == GW_BACKENDTLSPOLICY || row->marked;
}

bool
ctl_is_to_be_written(const struct ctl_cluster *cluster, bool is_calm,
    const struct ctl_object_row *row, struct arena *arena, uint64_t *hash)
{
	enum gw_kind kind = (enum gw_kind)row->row.kind;
	struct tree_node *wanted;
	bool is = ctl_find_wanted(cluster, is_calm, row, arena, &wanted) &&
	    ctl_may_be_written(row, wanted);

	*hash = is ? ctl_merge_hash(kind, wanted, &cluster->ours) : 0;
	arena_reset(arena);
	return is && *hash != row->status_hash;
}
