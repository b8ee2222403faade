#include "special_mounts.h"

#include <algorithm>
#include <array>

namespace ssync::scanner {

namespace {

constexpr std::array<std::uint64_t, 24> kSpecial = {
    0x0187,      // autofs: reading it would mount things
    0x1cd1,      // devpts
    0x9fa0,      // proc
    0x27e0eb,    // cgroup
    0x42494e4d,  // binfmt_misc
    0x43415d53,  // smackfs
    0x62656570,  // configfs
    0x62656572,  // sysfs
    0x63677270,  // cgroup2
    0x64626720,  // debugfs
    0x65735543,  // fusectl
    0x6165676c,  // pstore
    0x67596969,  // rpc_pipefs
    0x6c6f6f70,  // binderfs
    0x6e667364,  // nfsd
    0x6e736673,  // nsfs
    0x07655821,  // resctrl
    0x73636673,  // securityfs
    0x74726163,  // tracefs
    0x19800202,  // mqueue
    0x958458f6,  // hugetlbfs
    0xcafe4a11,  // bpf
    0xde5e81e4,  // efivarfs
    0xf97cff8c,  // selinux
};

}  // namespace

bool is_special_file_system(std::uint64_t type) noexcept {
  // f_type is a signed word where it is 32 bits wide.
  return std::find(kSpecial.begin(), kSpecial.end(), type & 0xffffffff) != kSpecial.end();
}

}  // namespace ssync::scanner
