#pragma once
// base/log.h names this header, but nothing in this build logs; and a wheel of torch brings headers of a fmt that the
// system's spdlog cannot be read with.
