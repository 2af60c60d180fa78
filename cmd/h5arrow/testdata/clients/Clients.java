import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.TreeSet;

/** Calls what the JDBC driver of Flight SQL has, against a server of sample.h5 at the address given. */
public class Clients {
  interface Query {
    ResultSet run() throws SQLException;
  }

  static int rows(Query q) throws SQLException {
    try (ResultSet r = q.run()) {
      int n = 0;
      while (r.next()) {
        n++;
      }
      return n;
    }
  }

  public static void main(String[] args) throws Exception {
    Class.forName("org.apache.arrow.driver.jdbc.ArrowFlightJdbcDriver");
    try (Connection c = DriverManager.getConnection("jdbc:arrow-flight-sql://" + args[0] + "/?useEncryption=false")) {
      DatabaseMetaData d = c.getMetaData();
      TreeSet<String> failed = new TreeSet<>();
      int answered = 0;
      for (Method m : DatabaseMetaData.class.getMethods()) {
        if (m.getParameterCount() != 0) {
          continue;
        }
        try {
          if (m.invoke(d) instanceof ResultSet r) {
            r.close();
          }
          answered++;
        } catch (InvocationTargetException e) {
          failed.add(m.getName() + " " + e.getCause());
        }
      }
      System.out.println("getters: " + (answered > 130) + " " + failed);
      System.out.println("dialect: " + d.getIdentifierQuoteString() + " " + d.getSearchStringEscape() + " " + d.supportsGroupBy() + d.supportsUnionAll()
          + d.supportsFullOuterJoins() + d.supportsTransactions() + d.isReadOnly() + d.nullsAreSortedAtEnd() + d.nullsAreSortedHigh()
          + " " + d.getMaxColumnsInTable() + " " + d.getNumericFunctions().startsWith("ABS") + d.getSQLKeywords().contains("QUALIFY"));
      System.out.println("keys: " + rows(() -> d.getPrimaryKeys(null, "main", "table")) + rows(() -> d.getImportedKeys(null, "main", "table"))
          + rows(() -> d.getExportedKeys(null, "main", "table")) + rows(() -> d.getCrossReference(null, "main", "table", null, "main", "table")));
      System.out.println("catalogs: " + rows(d::getCatalogs) + rows(d::getSchemas) + rows(d::getTableTypes));
      System.out.println("tables: " + rows(() -> d.getTables("memory", "main", "table", null)) + rows(() -> d.getTables("memory", "main", "sample.h5/table", null))
          + rows(() -> d.getTables(null, null, "tabl\\_", null)));
      System.out.println("columns: " + (rows(() -> d.getColumns(null, null, "table", "%")) == rows(() -> d.getColumns(null, null, "/table", null)))
          + rows(() -> d.getColumns(null, null, "table", "fare")));
      try (PreparedStatement p = c.prepareStatement("select i from range(100) t(i) where i::tinyint > ? or i > ? order by i")) {
        for (int limit : new int[] {97, 98}) {
          p.setInt(1, 300); // not cut to the column's 8 bits
          p.setInt(2, limit);
          System.out.println("values: " + (rows(p::executeQuery)));
        }
      } catch (SQLException e) {
        System.out.println("values: " + e.getMessage());
      }
      try (PreparedStatement p = c.prepareStatement("select zone from \"/table\" where zone = ? and fare < ? and pickup > ? limit 3")) {
        p.setString(1, "Harbour");
        p.setDouble(2, 1e9);
        p.setTimestamp(3, java.sql.Timestamp.valueOf("2000-01-01 00:00:00"));
        System.out.println("text: " + rows(p::executeQuery));
      }
      try (Statement s = c.createStatement(); ResultSet r = s.executeQuery("select count(*) from \"sample.h5/table\"")) {
        r.next();
        System.out.println("count: " + r.getLong(1));
      }
    }
  }
}
