import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.opensearch.common.settings.Settings;
import org.opensearch.node.InternalSettingsPreparer;
import org.opensearch.node.Node;
import org.opensearch.transport.Netty4Plugin;

/** One real search node on a loopback port, for the comparison with the simulated one. */
public final class Search extends Node {
    private Search(Settings settings) {
        super(InternalSettingsPreparer.prepareEnvironment(settings, Map.of(), null, () -> "search"), List.of(Netty4Plugin.class), false);
    }

    public static void main(String[] given) throws Exception {
        Settings settings = Settings.builder()
            .put("path.home", Path.of(given[0]).toAbsolutePath().toString())
            .put("http.port", given[1])
            .put("network.host", "127.0.0.1")
            .put("discovery.type", "single-node")
            .put("http.type", "netty4")
            .put("transport.type", "netty4")
            .put("transport.port", "0")
            .put("node.name", "search")
            .build();
        Search node = new Search(settings);
        node.start();
        Thread.currentThread().join();
    }
}
