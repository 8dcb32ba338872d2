#pragma once

// libfuse's low-level interface, in the version that this code requires.
#define FUSE_USE_VERSION 35
#include <fuse_lowlevel.h>
