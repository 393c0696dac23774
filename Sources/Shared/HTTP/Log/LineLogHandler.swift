import CLinux
import Foundation
package import Logging
package import NIOCore

/// Writes log events as lines to a descriptor, each with one write(2), so that lines of several threads (and of the
/// two services in one terminal) do not mix.
package struct LineLogHandler: LogHandler {
    package var metadata: Logger.Metadata = [:]
    package var metadataProvider: Logger.MetadataProvider?
    package var logLevel: Logger.Level
    private let label: String
    private let format: LogSettings.Format
    private let write: @Sendable (ByteBuffer) -> Void

    /// - Parameter write: takes each line with its line feed; standard error, unless a test wants to read them.
    package init(
        label: String, settings: LogSettings, metadataProvider: Logger.MetadataProvider? = nil,
        write: @escaping @Sendable (ByteBuffer) -> Void = { LineLogHandler.writeToStandardError($0) }
    ) {
        self.label = label
        self.logLevel = settings.level
        self.format = settings.format
        self.metadataProvider = metadataProvider
        self.write = write
    }

    package subscript(metadataKey key: String) -> Logger.MetadataValue? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    /// Writes one event; the handler's metadata, the provider's and the event's own, the later ones winning.
    package func log(event: LogEvent) {
        var parts = [metadata]
        if let provided = metadataProvider?.get() { parts.append(provided) }
        if let own = event.metadata { parts.append(own) }
        let message = event.message.description
        write(
            LogLine.make(
                format, level: event.level, message: message, label: label, metadata: parts, time: .now
            )
        )
    }

    /// A full pipe or a closed terminal loses the line rather than the service.
    package static func writeToStandardError(_ line: ByteBuffer) {
        line.withUnsafeReadableBytes { bytes in
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = Foundation.write(
                    STDERR_FILENO, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                if count < 0 && errno == EINTR { continue }
                guard count > 0 else { return }
                rest = rest.dropFirst(count)
            }
        }
    }
}

extension LogSettings {
    /// Makes every logger of the process write as these settings say. Once, first thing in the main function.
    package func bootstrap() {
        let settings = self
        LoggingSystem.bootstrap(
            { label, provider in LineLogHandler(label: label, settings: settings, metadataProvider: provider) },
            metadataProvider: nil
        )
    }
}
