#pragma once

#include <atomic>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace mutirao::orchestration {

/// Stand between a client and a PostgreSQL server and lose the answer to every n-th COMMIT, with the connection.
class LossyProxy {
 public:
  /// `server` is the path of the server's socket.
  LossyProxy(std::string server, int every);
  ~LossyProxy();

  int port() const { return port_; }
  int lost() const { return lost_; }

 private:
  void Accept();
  void Serve(int client);

  const std::string server_;
  const int every_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<int> commits_ = 0;
  std::atomic<int> lost_ = 0;
  std::mutex mutex_;
  std::vector<int> open_;             // guarded by mutex_; sockets that the end shuts down
  std::vector<std::thread> serving_;  // guarded by mutex_
  std::thread accepting_;
};

}  // namespace mutirao::orchestration
