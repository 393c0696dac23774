package import Logging

/// Makes lines of log events.
package struct LineLogHandler: LogHandler {
    package var metadata: Logger.Metadata = [:]
    package var metadataProvider: Logger.MetadataProvider?
    package var logLevel: Logger.Level
    private let label: String
    private let format: LogSettings.Format
    private let write: @Sendable ([UInt8]) -> Void

    /// - Parameter write: takes each line with its line feed; that of standard error, unless a test reads them.
    package init(
        label: String, settings: LogSettings, metadataProvider: Logger.MetadataProvider? = nil,
        write: @escaping @Sendable ([UInt8]) -> Void = { LogSink.standardError.write($0) }
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
