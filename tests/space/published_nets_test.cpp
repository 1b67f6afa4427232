// SPDX-License-Identifier: Apache-2.0
// The published networks of proxyless.md §14 and §16.
#include "nas/space/architecture.h"
#include "test_support.h"

using namespace nas;

namespace {

struct Published {
  const char* file;
  int resolution;
  std::int64_t params, macs;
};

const Published kPublished[] = {
    {"proxyless_mobile.config", 224, 4080512, 320427584},
    {"proxyless_cpu.config", 224, 4361648, 439243864},
    {"proxyless_gpu.config", 224, 7119848, 465260160},
    {"proxyless_mobile_14.config", 224, 6857568, 580883408},
    {"ofa_flops-595M_top1-80.0_finetune-75/net.config", 236, 9135928, 595189032},
    {"ofa_note10_lat-30ms_top1-78.4_finetune-75/net.config", 224, 7465896, 339352816},
    {"ofa_pixel1_lat-40ms_top1-74.9_finetune-25/net.config", 172, 6024176, 162265088},
    {"ofa_cpu_lat-15ms_top1-74.6_finetune-25/net.config", 188, 4875704, 300991560},
    {"ofa_v100_gpu64-9ms_top1-75.3_finetune-25/net.config", 188, 5186720, 312808424},
};

}  // namespace

TEST_CASE("published networks have the published counts and survive every form") {
  const std::string folder = PublishedNets();
  if (folder.empty()) return;
  for (const Published& row : kPublished) {
    CAPTURE(row.file);
    const Architecture read = LoadArchitecture(folder + "/" + row.file);
    CHECK(read.resolution == row.resolution);
    CHECK(CountParams(read) == row.params);
    CHECK(CountMacs(read).value == row.macs);
    CHECK(read.classes() == 1000);

    Architecture again = ArchitectureFromNetConfig(Document(ToNetConfig(read)), 0);
    CHECK(again.name.empty());
    again.name = read.name;
    CHECK(again == read);
    CHECK(ArchitectureFromJson(Document(ToJson(read))) == read);

    Architecture dense = read;  // Zero blocks are dropped and the rest is numbered anew
    std::erase_if(dense.layers, [](const Layer& layer) { return layer.op == "zero"; });
    int block = 0;
    for (Layer& layer : dense.layers) {
      if (layer.name.starts_with("blocks.")) layer.name = "blocks." + std::to_string(block++);
    }
    CHECK(ArchitectureFromTimm(Document(ToTimm(read))) == dense);
    CHECK(CountParams(dense) == row.params);
    CHECK(CountMacs(dense).value == row.macs);
  }
}

TEST_CASE("the files of net.config lose nothing but what the reader normalises") {
  const std::string folder = PublishedNets();
  if (folder.empty()) return;
  for (const char* file : {"proxyless_mobile", "proxyless_cpu", "proxyless_gpu", "proxyless_mobile_14"}) {
    const JsonDocument document = JsonDocument::Load(folder + "/" + file + ".config");
    Json written = ToNetConfig(ArchitectureFromNetConfig(document, 224));
    written.erase("resolution");
    for (Json& block : written["blocks"]) {
      Json& conv = block["mobile_inverted_conv"];
      if (conv["name"] == "MBInvertedConvLayer") {
        CHECK(conv["mid_channels"].is_null());
        conv.erase("mid_channels");
      }
    }
    CHECK(CanonicalDump(written) == CanonicalDump(document.root()));
  }
}

TEST_CASE("depth of the published networks") {
  const std::string folder = PublishedNets();
  if (folder.empty()) return;
  CHECK(Depth(LoadArchitecture(folder + "/proxyless_mobile.config")) == 20);
  CHECK(Depth(LoadArchitecture(folder + "/proxyless_mobile_14.config")) == 20);
  CHECK(Depth(LoadArchitecture(folder + "/proxyless_cpu.config")) == 20);
  CHECK(Depth(LoadArchitecture(folder + "/proxyless_gpu.config")) == 14);
}

TEST_CASE("a folder and an explicit resolution") {
  const std::string folder = PublishedNets();
  if (folder.empty()) return;
  const std::string net = folder + "/ofa_cpu_lat-15ms_top1-74.6_finetune-25";
  const Architecture read = LoadArchitecture(net);
  CHECK(read.resolution == 188);
  CHECK(read.name == "ofa_cpu_lat-15ms_top1-74.6_finetune-25");
  const JsonDocument document = JsonDocument::Load(net + "/net.config");
  CHECK(ArchitectureFromNetConfig(document, 160).resolution == 160);
  CHECK(ArchitectureFromNetConfig(document, 0).resolution == 224);
}
