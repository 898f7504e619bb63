/* RequestHeaderModifier and ResponseHeaderModifier. Fields that frame a message
 * or belong to one connection are not theirs to touch: the codecs write those.
 */
#include "core/must.h"
#include "proxy/answer.h"
#include "proxy/filter_priv.h"
#include "proxy/request.h"

static bool
is_ours(enum field_id id)
{
	return (wire_field_flags(id) & (FIELD_HOP | FIELD_FRAMING)) != 0;
}

static void
remove_field(struct wire_head *head, enum field_id id, struct slice name)
{
	if (id == FIELD_OTHER)
		wire_head_remove_name(head, name);
	else
		wire_head_remove(head, id);
}

/* There is one Host: a second one would be added to a message in vain. */
static bool
set_field(struct wire_head *head, const struct unit_field *field, bool replace)
{
	enum field_id id = wire_field_id(field->name);
	if (is_ours(id))
		return true;
	if (id == FIELD_HOST)
		head->authority = field->value;
	if (replace || id == FIELD_HOST)
		remove_field(head, id, field->name);
	return wire_head_add(head, id, field->name, field->value);
}

bool
proxy_headers_modify(struct wire_head *head, const struct unit_filter *filter)
{
	bool fits = true;
	for (uint32_t i = 0; i < filter->remove_count; i++) {
		enum field_id id = wire_field_id(filter->remove[i]);
		if (!is_ours(id) && id != FIELD_HOST)
			remove_field(head, id, filter->remove[i]);
	}
	for (uint32_t i = 0; i < filter->set_count; i++)
		fits &= set_field(head, &filter->set[i], true);
	for (uint32_t i = 0; i < filter->add_count; i++)
		fits &= set_field(head, &filter->add[i], false);
	return fits;
}

enum proxy_verdict
proxy_filter_request_headers(
    struct proxy_request *request, const struct unit_filter *filter)
{
	if (proxy_headers_modify(request->exchange->request, filter))
		return PROXY_GO_ON;
	request->reason = REASON_INTERNAL;
	proxy_answer(request->exchange, REASON_INTERNAL);
	return PROXY_ANSWERED;
}

enum proxy_verdict
proxy_filter_response_headers(
    struct proxy_request *request, const struct unit_filter *filter)
{
	if (proxy_headers_modify(request->exchange->response, filter))
		return PROXY_GO_ON;
	/* Half a change could hide what it was meant to add: no answer of the
	 * backend is better than that one. */
	request->reason = REASON_INTERNAL;
	return PROXY_ANSWERED;
}
