// An API server of the test's own: lists and watches of objects that the test puts
// there, and statuses that are written to them.
package e2e

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// api has the objects of some kinds; the server has no others.
type api struct {
	t        testing.TB
	mu       sync.Mutex
	version  int
	objects  map[string]map[string]map[string]any // by the path of the list, by namespace/name
	watchers map[string][]chan map[string]any
}

func newAPI(t testing.TB, listener net.Listener, lists ...string) *api {
	a := &api{t: t, version: 1, objects: map[string]map[string]map[string]any{}, watchers: map[string][]chan map[string]any{}}
	for _, list := range lists {
		a.objects[list] = map[string]map[string]any{}
	}
	server := &http.Server{Handler: a}
	go server.Serve(listener)
	t.Cleanup(func() { server.Close() })
	return a
}

// put is a new object, or another version of one; text is JSON.
func (a *api) put(list, text string) {
	a.t.Helper()
	var object map[string]any
	if err := json.Unmarshal([]byte(text), &object); err != nil {
		a.t.Fatalf("%v: %s", err, text)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.set(list, object)
}

func (a *api) set(list string, object map[string]any) {
	metadata := object["metadata"].(map[string]any)
	key := fmt.Sprint(metadata["namespace"], "/", metadata["name"])
	kind := "ADDED"
	if a.objects[list][key] != nil {
		kind = "MODIFIED"
	}
	a.version++
	metadata["resourceVersion"] = fmt.Sprint(a.version)
	a.objects[list][key] = object
	for _, watcher := range a.watchers[list] {
		watcher <- map[string]any{"type": kind, "object": object}
	}
}

// status is an object's status as it was last written.
func (a *api) status(list, key string) map[string]any {
	a.mu.Lock()
	defer a.mu.Unlock()
	status, _ := a.objects[list][key]["status"].(map[string]any)
	return status
}

func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	a.mu.Lock()
	objects, known := a.objects[r.URL.Path]
	switch {
	case r.Method == http.MethodGet && a.one(r.URL.Path) != nil:
		defer a.mu.Unlock()
		json.NewEncoder(w).Encode(a.one(r.URL.Path))
	case r.Method == http.MethodPut && strings.HasSuffix(r.URL.Path, "/status"):
		defer a.mu.Unlock()
		a.write(w, r)
	case r.Method != http.MethodGet || !known:
		a.mu.Unlock()
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, `{"kind":"Status","code":404,"message":"not there"}`)
	case r.URL.Query().Get("watch") != "":
		events := make(chan map[string]any, 64)
		a.watchers[r.URL.Path] = append(a.watchers[r.URL.Path], events)
		a.mu.Unlock()
		a.watch(w, r, events)
	default:
		defer a.mu.Unlock()
		items := []any{}
		for _, object := range objects {
			items = append(items, object)
		}
		json.NewEncoder(w).Encode(map[string]any{"kind": "List", "apiVersion": "v1", "items": items,
			"metadata": map[string]any{"resourceVersion": fmt.Sprint(a.version)}})
	}
}

// place is what .../namespaces/NAMESPACE/KINDS/NAME[/status] leads to.
func place(path string) (list, key string) {
	parts := strings.Split(strings.TrimSuffix(path, "/status"), "/")
	n := len(parts)
	if n < 5 || parts[n-4] != "namespaces" {
		return "", ""
	}
	return strings.Join(append(append([]string{}, parts[:n-4]...), parts[n-2]), "/"), parts[n-3] + "/" + parts[n-1]
}

func (a *api) one(path string) map[string]any {
	list, key := place(path)
	return a.objects[list][key]
}

func (a *api) write(w http.ResponseWriter, r *http.Request) {
	list, _ := place(r.URL.Path)
	var object map[string]any
	if err := json.NewDecoder(r.Body).Decode(&object); err != nil || a.objects[list] == nil {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	a.set(list, object)
	json.NewEncoder(w).Encode(object)
}

func (a *api) watch(w http.ResponseWriter, r *http.Request, events chan map[string]any) {
	w.(http.Flusher).Flush()
	for {
		select {
		case event := <-events:
			a.mu.Lock()
			text, _ := json.Marshal(event)
			a.mu.Unlock()
			w.Write(append(text, '\n'))
			w.(http.Flusher).Flush()
		case <-r.Context().Done():
			return
		}
	}
}
