import Shared
import CTesseract
import CLeptonica
import CZip
import CXML
import AsyncHTTPClient
@main struct Main { static func main() async throws { print(String(cString: TessVersion())) } }
