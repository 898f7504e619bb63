/* The worker's list of requests that are not in use. */
#include "proxy/request.h"

#include "core/memory.h"
#include "proxy/worker_priv.h"

#define FREE_REQUESTS_MAX 1024

struct proxy_request *
proxy_request_take(struct proxy_worker *worker)
{
	struct proxy_request *request = worker->free_requests;
	if (likely(request != NULL)) {
		worker->free_requests = request->next_free;
		worker->free_request_count--;
	} else {
		request = memory_alloc(sizeof(*request));
	}
	memory_clear(request, offsetof(struct proxy_request, endpoint_storage));
	request->worker = worker;
	request->count_id = SNAP_ID_NONE;
	return request;
}

void
proxy_request_free(struct proxy_request *request)
{
	struct proxy_worker *worker = request->worker;
	if (unlikely(worker->free_request_count >= FREE_REQUESTS_MAX)) {
		memory_free(request);
		return;
	}
	request->next_free = worker->free_requests;
	worker->free_requests = request;
	worker->free_request_count++;
}
