#ifndef MUTIRAO_TASK_H
#define MUTIRAO_TASK_H

/* Run task documents (docs/formats/task.md) through flat C functions: for workers of a cluster, which load libmutirao
 * by ctypes or dlopen.
 *
 * All texts are UTF-8 and end with a zero. No function throws, exits, changes signal handlers or keeps a pointer that
 * it was given. Load the library so that calls release the interpreter's lock (ctypes.CDLL, not PyDLL): a task runs
 * for minutes. */

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MUTIRAO_API __attribute__((visibility("default")))

/* What this header describes. It grows when a function or a structure changes; a caller compares it with
 * mutirao_task_abi() before anything else. */
#define MUTIRAO_TASK_ABI 4

MUTIRAO_API int mutirao_task_abi(void);

/* What was built: {"version", "abi", "task", "arrow", "platform"}, where "task" is the version of task documents that
 * are read, "arrow" the version of the Arrow library that runs in this process and "platform" like "linux-x86_64".
 * Lives as long as the process. */
MUTIRAO_API const char* mutirao_build(void);

/* Results of mutirao_task_run. The numbers stay as they are. */
enum MutiraoTaskStatus {
  MUTIRAO_TASK_OK = 0,
  MUTIRAO_TASK_INVALID = 1,
  MUTIRAO_TASK_NOT_FOUND = 2,
  MUTIRAO_TASK_ALREADY_EXISTS = 3,
  MUTIRAO_TASK_IO = 4,
  MUTIRAO_TASK_UNAVAILABLE = 5,
  MUTIRAO_TASK_CANCELLED = 6,
  MUTIRAO_TASK_DEADLINE = 7,
  MUTIRAO_TASK_EXHAUSTED = 8,
  MUTIRAO_TASK_UNSUPPORTED = 9,
  MUTIRAO_TASK_FAILED = 10,
  MUTIRAO_TASK_INTERNAL = 11
};

/* One execution of a task. */
typedef struct MutiraoTask MutiraoTask;

/* What an execution has done so far. */
typedef struct MutiraoTaskProgress {
  int64_t rows_read;
  int64_t rows_written;
  int64_t bytes_read;
  int64_t bytes_total;   /* 0: not known */
  int64_t memory_held;   /* of the memory budget, now */
  int64_t bytes_spilled; /* written to the spill folder */
} MutiraoTaskProgress;

/* Make an execution. `options` is NULL or a JSON object; every member may be missing:
 *   "threads"    threads to use; 0 or missing: as the document says
 *   "memory"     bytes that tables, sort runs and kept rows may hold; 0: half of what the process may use
 *   "spill_dir"  folder for what goes to disk
 *   "execution"  letters and digits that no other execution of any task has: they become part of the names of its
 *                files, so that a task which is run twice never writes one file twice
 *   "modules"    folder with the libraries that documents name, as <hash>.so
 * Gives NULL when they are wrong; see mutirao_last_error. */
MUTIRAO_API MutiraoTask* mutirao_task_new(const char* options);

/* Run the document and give its result document in *result, to be freed by mutirao_text_free; NULL on failure.
 * Blocks. Once for each execution. Gives a MutiraoTaskStatus. */
MUTIRAO_API int mutirao_task_run(MutiraoTask* task, const char* document, char** result);

/* Ask the execution to end; it does within 100 ms as MUTIRAO_TASK_CANCELLED. One that did not begin yet ends at once
 * when it does. From any thread, also twice. */
MUTIRAO_API void mutirao_task_cancel(MutiraoTask* task);

/* From any thread. */
MUTIRAO_API void mutirao_task_progress(const MutiraoTask* task, MutiraoTaskProgress* progress);

/* What the execution told since this was called last: {"lines": [text, …], "share": 0.5} with either member, or NULL.
 * To be freed by mutirao_text_free. From any thread. */
MUTIRAO_API char* mutirao_task_news(MutiraoTask* task);

/* Let go of what executions kept for others of their stage in this process: the tables of joins that all of them ask.
 * Later ones make it anew. To be called when no task is expected for a while. From any thread. */
MUTIRAO_API void mutirao_let_go(void);

/* REQUIRES: mutirao_task_run does not run. NULL is fine. */
MUTIRAO_API void mutirao_task_free(MutiraoTask* task);

MUTIRAO_API void mutirao_text_free(char* text);

/* Why the last call of this thread failed: {"code": "invalid", "message": …, "help": …}; "{}" when none did. Lives
 * until the next call of this thread. */
MUTIRAO_API const char* mutirao_last_error(void);

#ifdef __cplusplus
}
#endif

#endif
