import Shared
import CSodium
@main struct Main { static func main() async throws { print(sodium_init()) } }
