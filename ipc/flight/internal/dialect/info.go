// Package dialect describes the SQL of the engine behind the service, which is DuckDB's, as Flight SQL, JDBC and ODBC
// describe SQL.
package dialect

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/flight/flightsql"
	pb "github.com/apache/arrow-go/v18/arrow/flight/gen/flight"
)

// Info returns what clients can ask about the service and the SQL of its engine. Drivers of JDBC and ODBC fail where a
// value is missing or has another type than the specification gives it (FlightSql.proto, SqlInfo): bool, int32 for
// enumerations and sets of bits, int64 for limits, of which 0 is none, text and lists of text.
func Info() map[flightsql.SqlInfo]any {
	info := map[flightsql.SqlInfo]any{
		flightsql.SqlInfoFlightSqlServerName:                        "h5arrow",
		flightsql.SqlInfoFlightSqlServerVersion:                     "1",
		flightsql.SqlInfoFlightSqlServerArrowVersion:                arrow.PkgVersion,
		flightsql.SqlInfoFlightSqlServerReadOnly:                    true,
		flightsql.SqlInfoFlightSqlServerSql:                         true,
		flightsql.SqlInfoFlightSqlServerSubstrait:                   false,
		flightsql.SqlInfoFlightSqlServerTransaction:                 int32(flightsql.SqlTransactionNone),
		flightsql.SqlInfoFlightSqlServerCancel:                      false,
		flightsql.SqlInfoFlightSqlServerBulkIngestion:               false,
		flightsql.SqlInfoFlightSqlServerIngestTransactionsSupported: false,
		flightsql.SqlInfoFlightSqlServerStatementTimeout:            int32(0),
		flightsql.SqlInfoFlightSqlServerTransactionTimeout:          int32(0),

		flightsql.SqlInfoIdentifierCase:       int32(flightsql.SqlCaseSensitivityCaseInsensitive),
		flightsql.SqlInfoIdentifierQuoteChar:  `"`,
		flightsql.SqlInfoQuotedIdentifierCase: int32(flightsql.SqlCaseSensitivityCaseInsensitive),
		flightsql.SqlInfoNullOrdering:         int32(flightsql.SqlNullOrderingSortAtEnd),
		flightsql.SqlInfoKeywords:             sqlKeywords,
		flightsql.SqlInfoNumericFunctions:     numericFunctions,
		flightsql.SqlInfoStringFunctions:      stringFunctions,
		flightsql.SqlInfoSystemFunctions:      systemFunctions,
		flightsql.SqlInfoDateTimeFunctions:    dateFunctions,
		flightsql.SqlInfoSearchStringEscape:   `\`,
		flightsql.SqlInfoExtraNameChars:       "",
		flightsql.SqlInfoSupportsConvert:      conversions(),
		flightsql.SqlInfoSchemaTerm:           "schema",
		flightsql.SqlInfoProcedureTerm:        "procedure",
		flightsql.SqlInfoCatalogTerm:          "catalog",

		flightsql.SqlInfoSupportedGroupBy:     bits(pb.SqlSupportedGroupBy_SQL_GROUP_BY_UNRELATED, pb.SqlSupportedGroupBy_SQL_GROUP_BY_BEYOND_SELECT),
		flightsql.SqlInfoSupportedGrammar:     bits(pb.SupportedSqlGrammar_SQL_MINIMUM_GRAMMAR, pb.SupportedSqlGrammar_SQL_CORE_GRAMMAR),
		flightsql.SqlInfoANSI92SupportedLevel: bits(pb.SupportedAnsi92SqlGrammarLevel_ANSI92_ENTRY_SQL, pb.SupportedAnsi92SqlGrammarLevel_ANSI92_INTERMEDIATE_SQL),
		// The specification says an ordinal, but the builder and the driver in Java have a set.
		flightsql.SqlInfoOuterJoinsSupportLevel:      bits(pb.SqlOuterJoinsSupportLevel_SQL_LIMITED_OUTER_JOINS, pb.SqlOuterJoinsSupportLevel_SQL_FULL_OUTER_JOINS),
		flightsql.SqlInfoSchemasSupportedActions:     int32(0),
		flightsql.SqlInfoCatalogsSupportedActions:    int32(0),
		flightsql.SqlInfoSupportedPositionedCommands: int32(0),
		flightsql.SqlInfoSupportedSubqueries: bits(pb.SqlSupportedSubqueries_SQL_SUBQUERIES_IN_COMPARISONS, pb.SqlSupportedSubqueries_SQL_SUBQUERIES_IN_EXISTS,
			pb.SqlSupportedSubqueries_SQL_SUBQUERIES_IN_INS, pb.SqlSupportedSubqueries_SQL_SUBQUERIES_IN_QUANTIFIEDS),
		flightsql.SqlInfoSupportedUnions:                      bits(pb.SqlSupportedUnions_SQL_UNION, pb.SqlSupportedUnions_SQL_UNION_ALL),
		flightsql.SqlInfoDefaultTransactionIsolation:          int64(pb.SqlTransactionIsolationLevel_SQL_TRANSACTION_NONE), // JDBC's driver wants 64 bits
		flightsql.SqlInfoSupportedTransactionsIsolationlevels: bits(pb.SqlTransactionIsolationLevel_SQL_TRANSACTION_NONE),
		flightsql.SqlInfoSupportedResultSetTypes:              bits(pb.SqlSupportedResultSetType_SQL_RESULT_SET_TYPE_UNSPECIFIED, pb.SqlSupportedResultSetType_SQL_RESULT_SET_TYPE_FORWARD_ONLY),

		flightsql.SqlInfoSupportedConcurrenciesForResultSetUnspecified:       bits(pb.SqlSupportedResultSetConcurrency_SQL_RESULT_SET_CONCURRENCY_READ_ONLY),
		flightsql.SqlInfoSupportedConcurrenciesForResultSetForwardOnly:       bits(pb.SqlSupportedResultSetConcurrency_SQL_RESULT_SET_CONCURRENCY_READ_ONLY),
		flightsql.SqlInfoSupportedConcurrenciesForResultSetScrollSensitive:   int32(0),
		flightsql.SqlInfoSupportedConcurrenciesForResultSetScrollInsensitive: int32(0),
	}
	for id := flightsql.SqlInfoMaxBinaryLiteralLen; id <= flightsql.SqlInfoMaxUsernameLen; id++ {
		info[id] = int64(0)
	}
	for id, supported := range sqlSupports {
		info[id] = supported
	}
	return info
}

// sqlSupports are the features that are there or not.
var sqlSupports = map[flightsql.SqlInfo]bool{
	flightsql.SqlInfoDDLCatalog:                              false,
	flightsql.SqlInfoDDLSchema:                               false,
	flightsql.SqlInfoDDLTable:                                false,
	flightsql.SqlInfoAllTablesAreASelectable:                 true,
	flightsql.SqlInfoSupportsColumnAliasing:                  true,
	flightsql.SqlInfoNullPlusNullIsNull:                      true,
	flightsql.SqlInfoSupportsTableCorrelationNames:           true,
	flightsql.SqlInfoSupportsDifferentTableCorrelationNames:  false,
	flightsql.SqlInfoSupportsExpressionsInOrderBy:            true,
	flightsql.SqlInfoSupportsOrderByUnrelated:                true,
	flightsql.SqlInfoSupportsLikeEscapeClause:                true,
	flightsql.SqlInfoSupportsNonNullableColumns:              true,
	flightsql.SqlInfoSupportsIntegrityEnhancementFacility:    false,
	flightsql.SqlInfoCatalogAtStart:                          true,
	flightsql.SqlInfoSelectForUpdateSupported:                false,
	flightsql.SqlInfoStoredProceduresSupported:               false,
	flightsql.SqlInfoCorrelatedSubqueriesSupported:           true,
	flightsql.SqlInfoMaxRowSizeIncludesBlobs:                 true,
	flightsql.SqlInfoTransactionsSupported:                   false,
	flightsql.SqlInfoDataDefinitionCausesTransactionCommit:   false,
	flightsql.SqlInfoDataDefinitionsInTransactionsIgnored:    false,
	flightsql.SqlInfoBatchUpdatesSupported:                   false,
	flightsql.SqlInfoSavePointsSupported:                     false,
	flightsql.SqlInfoNamedParametersSupported:                false, // of stored procedures
	flightsql.SqlInfoLocatorsUpdateCopy:                      false,
	flightsql.SqlInfoStoredFunctionsUsingCallSyntaxSupported: false,
}

// bits is a set of the values of an enumeration.
func bits[E ~int32](values ...E) (set int32) {
	for _, v := range values {
		set |= 1 << v
	}
	return set
}

// conversions are the casts of the engine, by what they are from: any of these types to any other of its group, and to and
// from text.
func conversions() map[int32][]int32 {
	text := []int32{int32(flightsql.SqlConvertChar), int32(flightsql.SqlConvertVarchar), int32(flightsql.SqlConvertLongVarchar)}
	groups := [][]int32{
		{int32(flightsql.SqlConvertTinyInt), int32(flightsql.SqlConvertSmallInt), int32(flightsql.SqlConvertInteger), int32(flightsql.SqlConvertBigInt),
			int32(flightsql.SqlConvertReal), int32(flightsql.SqlConvertFloat), int32(flightsql.SqlConvertDecimal), int32(flightsql.SqlConvertNumeric), int32(flightsql.SqlConvertBit)},
		{int32(flightsql.SqlConvertDate), int32(flightsql.SqlConvertTimestamp)},
		{int32(flightsql.SqlConvertTime)},
		{int32(flightsql.SqlConvertBinary), int32(flightsql.SqlConvertVarbinary), int32(flightsql.SqlConvertLongVarbinary)},
		{int32(flightsql.SqlConvertIntervalDayTime), int32(flightsql.SqlConvertIntervalYearMonth)},
	}
	to := map[int32][]int32{}
	for _, g := range groups {
		for _, from := range g {
			to[from] = append(append([]int32{}, g...), text...)
			for _, t := range text {
				to[t] = append(to[t], from)
			}
		}
	}
	for _, t := range text {
		to[t] = append(to[t], text...)
	}
	return to
}

// The functions of ODBC and JDBC that the engine has under their names.
var (
	numericFunctions = []string{"ABS", "ACOS", "ASIN", "ATAN", "ATAN2", "CEILING", "COS", "COT", "DEGREES", "EXP", "FLOOR", "LOG", "LOG10", "MOD",
		"PI", "POWER", "RADIANS", "ROUND", "SIGN", "SIN", "SQRT", "TAN"}
	stringFunctions = []string{"ASCII", "BIT_LENGTH", "CHR", "CONCAT", "CONTAINS", "LCASE", "LEFT", "LENGTH", "LOWER", "LPAD", "LTRIM", "POSITION", "REPEAT",
		"REPLACE", "REVERSE", "RIGHT", "RPAD", "RTRIM", "SUBSTRING", "TRIM", "UCASE", "UPPER"}
	systemFunctions = []string{"CURRENT_DATABASE", "CURRENT_SCHEMA", "IFNULL", "VERSION"}
	dateFunctions   = []string{"CURRENT_DATE", "DATE_DIFF", "DATE_PART", "DATE_TRUNC", "DAYNAME", "DAYOFMONTH", "DAYOFWEEK", "DAYOFYEAR", "EXTRACT", "HOUR",
		"MINUTE", "MONTH", "MONTHNAME", "NOW", "QUARTER", "SECOND", "WEEK", "YEAR"}
)

// sqlKeywords are the engine's reserved words.
var sqlKeywords = []string{
	"ALL", "ANALYSE", "ANALYZE", "AND", "ANY", "ARRAY", "AS", "ASC", "ASYMMETRIC", "BOTH", "CASE", "CAST", "CHECK",
	"COLLATE", "COLUMN", "CONSTRAINT", "CREATE", "DEFAULT", "DEFERRABLE", "DESC", "DESCRIBE", "DISTINCT", "DO", "ELSE",
	"END", "EXCEPT", "FALSE", "FETCH", "FOR", "FOREIGN", "FROM", "GROUP", "HAVING", "IN", "INITIALLY", "INTERSECT",
	"INTO", "LAMBDA", "LATERAL", "LEADING", "LIMIT", "NOT", "NULL", "OFFSET", "ON", "ONLY", "OR", "ORDER", "PIVOT",
	"PIVOT_LONGER", "PIVOT_WIDER", "PLACING", "PRIMARY", "QUALIFY", "REFERENCES", "RETURNING", "SELECT", "SHOW", "SOME",
	"SUMMARIZE", "SYMMETRIC", "TABLE", "THEN", "TO", "TRAILING", "TRUE", "UNION", "UNIQUE", "UNPIVOT", "USING",
	"VARIADIC", "WHEN", "WHERE", "WINDOW", "WITH",
}
