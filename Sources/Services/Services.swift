// This module is empty. `--product` takes one product, so it names both programs for `swift build --target Services`,
// which links what a target depends on. SwiftPM does that for Swift targets only, and those need a file.
