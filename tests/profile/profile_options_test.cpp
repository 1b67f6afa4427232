// SPDX-License-Identifier: Apache-2.0
#include "nas/profile/profile_options.h"

#include <functional>

#include "nas/core/error.h"
#include "support/catch_compat.h"

using namespace nas;

namespace {

std::string Refusal(const std::function<void(ProfileOptions&)>& change) {
  ProfileOptions options;
  options.out = "t.json";
  change(options);
  try {
    options.Validate();
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::kUsage);
    return error.what();
  }
  return "";
}

bool Has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("profile options: legal ones pass, others are named with value and remedy") {
  CHECK(Refusal([](ProfileOptions&) {}).empty());
  CHECK(Has(Refusal([](ProfileOptions& o) { o.out = ""; }), "--out"));
  CHECK(Refusal([](ProfileOptions& o) {
          o.out = "";
          o.dry_run = true;
        }).empty());
  CHECK(Has(Refusal([](ProfileOptions& o) { o.threads = 0; }), "--threads 0"));
  CHECK(Has(Refusal([](ProfileOptions& o) { o.batch = 0; }), "--batch 0"));
  CHECK(Has(Refusal([](ProfileOptions& o) { o.held_out = -1; }), "--held-out -1"));
  CHECK(Has(Refusal([](ProfileOptions& o) { o.plan = "fulll"; }), "did you mean \"full\""));
  CHECK(Has(Refusal([](ProfileOptions& o) { o.transport = "locl"; }), "ssh://[user@]host[:port]"));
  CHECK(Has(Refusal([](ProfileOptions& o) { o.transport = "adb:R58M"; }), "--engine xnnpack"));
  CHECK(Refusal([](ProfileOptions& o) {
          o.transport = "adb:R58M";
          o.engine = "xnnpack";
        }).empty());
  CHECK(Has(Refusal([](ProfileOptions& o) { o.silence_seconds = 0; }), "--device-timeout"));
  CHECK(Has(Refusal([](ProfileOptions& o) { o.again = o.resume = true; }), "--again"));
  CHECK(Has(Refusal([](ProfileOptions& o) { o.resume = o.force = true; }), "--force"));
}
