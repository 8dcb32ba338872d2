#pragma once

// libfuse's low-level interface, at the version of it that this code is written for.
#define FUSE_USE_VERSION 35
#include <fuse_lowlevel.h>
