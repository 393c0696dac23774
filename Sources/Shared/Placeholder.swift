import Hummingbird
import JWTKit
import Configuration
import CPostgres
import CLinux
