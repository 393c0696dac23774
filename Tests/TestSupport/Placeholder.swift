/// Replaced by the support code of the tests.
enum Placeholder {}
