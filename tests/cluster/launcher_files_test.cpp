// SPDX-License-Identifier: Apache-2.0
// What scripts/cluster offers to be copied: the manifest is a Job that Kubernetes takes, and commands are ones of
// `nas`.
#include <regex>

#include "cluster/test_programs.h"
#include "nas/core/text.h"
#include "support/catch_compat.h"

using namespace nas;
using nas::test::FakeInstallation;

namespace {

/// Reads the documents, checks what the API server refuses (kinds, Indexed, failure policy, names that have to agree),
/// prints the command of the container.
constexpr const char* kCheck = R"py(
import sys, yaml
service, job = list(yaml.safe_load_all(open(sys.argv[1])))
assert (service['apiVersion'], service['kind']) == ('v1', 'Service')
assert service['spec']['clusterIP'] == 'None' and service['spec']['publishNotReadyAddresses'] is True
assert (job['apiVersion'], job['kind']) == ('batch/v1', 'Job')
spec, name = job['spec'], job['metadata']['name']
assert set(spec) <= {'completionMode', 'completions', 'parallelism', 'backoffLimit', 'podFailurePolicy', 'template'}
assert spec['completionMode'] == 'Indexed' and spec['completions'] == spec['parallelism']
for rule in spec['podFailurePolicy']['rules']:
    assert rule['action'] in ('Ignore', 'FailJob', 'Count') and len(rule) == 2
    if 'onExitCodes' in rule:
        codes = rule['onExitCodes']
        assert codes['operator'] in ('In', 'NotIn') and codes['values'] == sorted(set(codes['values'])) and 0 not in codes['values']
    else:
        assert all(c['type'] and c['status'] in ('True', 'False', 'Unknown') for c in rule['onPodConditions'])
assert any(r.get('onExitCodes', {}).get('values') == [75] for r in spec['podFailurePolicy']['rules'])
pod = spec['template']['spec']
assert pod['restartPolicy'] == 'Never', 'a failure policy needs it'
assert pod['subdomain'] == service['metadata']['name'] and service['spec']['selector'] == {'job-name': name}
[box] = pod['containers']
assert {m['name'] for m in box['volumeMounts']} <= {v['name'] for v in pod['volumes']}
env = {e['name']: e['value'] for e in box['env']}
assert all(isinstance(v, str) for v in env.values()), 'values of env are strings'
assert env['WORLD_SIZE'] == str(spec['completions']) and env['MASTER_ADDR'] == f"{name}-0.{pod['subdomain']}"
assert box['command'][:2] == ['sh', '-c']
print(box['command'][2])
)py";

}  // namespace

TEST_CASE("the Kubernetes manifest is well-formed and starts nas by exec", "[cluster]") {
  SubprocessOptions options;
  options.argv = {"python3", "-c", "import yaml"};
  if (RunSubprocess(options).exit_code != 0) {
    WARN("python3 has no yaml (apt-get install python3-yaml): this test is skipped");
    return;
  }
  options.argv = {"python3", "-c", kCheck, StrCat(NAS_SOURCE_DIR, "/scripts/cluster/kubernetes.yaml")};
  const SubprocessResult result = RunSubprocess(options);
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  std::smatch parts;
  const std::string command = Trim(result.out);
  INFO(command);
  REQUIRE(
      std::regex_match(command, parts, std::regex("RANK=\\$JOB_COMPLETION_INDEX exec nas (.*) --resume=auto (.*)")));
  // The words are read by the verb's own parser.
  std::vector<std::string> words{"submit", "--dry-run", "--"};
  for (const std::string& word : Split(parts[1].str() + " " + parts[2].str(), ' ')) words.push_back(word);
  const SubprocessResult parsed = FakeInstallation().Run(words);
  INFO(parsed.err);
  REQUIRE(parsed.exit_code == 0);
}

TEST_CASE("every command of the cluster page is one of nas", "[cluster]") {
  const FakeInstallation nas;
  const std::string page = ReadFile(StrCat(NAS_SOURCE_DIR, "/scripts/cluster/README.md"));
  const std::regex line("(?:^|\n)(nas submit [^\n#]* -- [^\n#]*)");
  int found = 0;
  for (std::sregex_iterator it(page.begin(), page.end(), line), end; it != end; ++it) {
    const std::string command = Trim((*it)[1].str());
    INFO(command);
    SubprocessOptions options;
    std::string dry = command;
    dry.replace(0, std::string("nas submit").size(), nas.nas() + " submit --dry-run");
    options.argv = {"env", "-C", nas.path().string(), "bash", "-c", dry};
    const SubprocessResult result = RunSubprocess(options);
    INFO(result.err);
    REQUIRE(result.exit_code == 0);
    ++found;
  }
  REQUIRE(found >= 4);
}
