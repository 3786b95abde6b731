{
  "targets": [
    {
      "target_name": "posix_sockets",
      "sources": ["<!@(cat native/sources.txt)"],
      "include_dirs": ["<!(node -p \"require('node-addon-api').include_dir\")"],
      "defines": ["NAPI_VERSION=9", "NAPI_DISABLE_CPP_EXCEPTIONS", "NODE_ADDON_API_DISABLE_DEPRECATED",
        # A worker that is being terminated can throw nothing any more, and that is no fatal error.
        "NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS"],
      # Without a table of procedures in between, a call of Node-API is a jump less.
      "cflags": ["-Wall", "-Wextra", "-fvisibility=hidden", "-fno-plt"],
      "cflags_cc": ["-std=c++17", "-fno-exceptions", "-fno-rtti"],
      # Node unmaps an addon when the last worker that loaded it ends; a signal's handler must outlive that.
      "ldflags": ["-Wl,-z,nodelete"],
      "conditions": [
        ["'<!(echo ${POSIX_SOCKETS_WERROR:-})' != ''", { "cflags": ["-Werror"] }],
        ["'<!(echo ${POSIX_SOCKETS_SANITIZE:-})' != ''", {
          "cflags": ["-fsanitize=address,undefined", "-fno-omit-frame-pointer", "-g", "-O1"],
          "ldflags": ["-fsanitize=address,undefined"]
        }]
      ]
    }
  ]
}
