//! A part of AdventureWorks, without the columns of type xml, for which Diesel has no type.

diesel::table! {
    humanresources.employee (businessentityid) {
        businessentityid -> Integer,
        nationalidnumber -> Varchar,
        loginid -> Varchar,
        jobtitle -> Varchar,
        birthdate -> Date,
        maritalstatus -> Bpchar,
        gender -> Bpchar,
        hiredate -> Date,
        salariedflag -> Bool,
        vacationhours -> SmallInt,
        sickleavehours -> SmallInt,
        currentflag -> Bool,
        rowguid -> Uuid,
        modifieddate -> Timestamp,
        organizationnode -> Nullable<Varchar>,
    }
}

diesel::table! {
    humanresources.employeedepartmenthistory (businessentityid, startdate, departmentid, shiftid) {
        businessentityid -> Integer,
        departmentid -> SmallInt,
        shiftid -> SmallInt,
        startdate -> Date,
        enddate -> Nullable<Date>,
        modifieddate -> Timestamp,
    }
}

diesel::table! {
    humanresources.employeepayhistory (businessentityid, ratechangedate) {
        businessentityid -> Integer,
        ratechangedate -> Timestamp,
        rate -> Numeric,
        payfrequency -> SmallInt,
        modifieddate -> Timestamp,
    }
}

diesel::table! {
    humanresources.shift (shiftid) {
        shiftid -> Integer,
        name -> Varchar,
        starttime -> Time,
        endtime -> Time,
        modifieddate -> Timestamp,
    }
}

diesel::table! {
    person.address (addressid) {
        addressid -> Integer,
        addressline1 -> Varchar,
        addressline2 -> Nullable<Varchar>,
        city -> Varchar,
        stateprovinceid -> Integer,
        postalcode -> Varchar,
        spatiallocation -> Nullable<Binary>,
        rowguid -> Uuid,
        modifieddate -> Timestamp,
    }
}

diesel::table! {
    person.businessentity (businessentityid) {
        businessentityid -> Integer,
        rowguid -> Uuid,
        modifieddate -> Timestamp,
    }
}

diesel::table! {
    person.countryregion (countryregioncode) {
        countryregioncode -> Varchar,
        name -> Varchar,
        modifieddate -> Timestamp,
    }
}

diesel::table! {
    person.personphone (businessentityid, phonenumber, phonenumbertypeid) {
        businessentityid -> Integer,
        phonenumber -> Varchar,
        phonenumbertypeid -> Integer,
        modifieddate -> Timestamp,
    }
}

diesel::table! {
    production.culture (cultureid) {
        cultureid -> Bpchar,
        name -> Varchar,
        modifieddate -> Timestamp,
    }
}

diesel::table! {
    production.product (productid) {
        productid -> Integer,
        name -> Varchar,
        productnumber -> Varchar,
        makeflag -> Bool,
        finishedgoodsflag -> Bool,
        color -> Nullable<Varchar>,
        safetystocklevel -> SmallInt,
        reorderpoint -> SmallInt,
        standardcost -> Numeric,
        listprice -> Numeric,
        size -> Nullable<Varchar>,
        sizeunitmeasurecode -> Nullable<Bpchar>,
        weightunitmeasurecode -> Nullable<Bpchar>,
        weight -> Nullable<Numeric>,
        daystomanufacture -> Integer,
        productline -> Nullable<Bpchar>,
        class -> Nullable<Bpchar>,
        style -> Nullable<Bpchar>,
        productsubcategoryid -> Nullable<Integer>,
        productmodelid -> Nullable<Integer>,
        sellstartdate -> Timestamp,
        sellenddate -> Nullable<Timestamp>,
        discontinueddate -> Nullable<Timestamp>,
        rowguid -> Uuid,
        modifieddate -> Timestamp,
    }
}

diesel::table! {
    production.productmodel (productmodelid) {
        productmodelid -> Integer,
        name -> Varchar,
        rowguid -> Uuid,
        modifieddate -> Timestamp,
    }
}

diesel::table! {
    production.productmodelproductdescriptionculture (productmodelid, productdescriptionid, cultureid) {
        productmodelid -> Integer,
        productdescriptionid -> Integer,
        cultureid -> Bpchar,
        modifieddate -> Timestamp,
    }
}

diesel::table! {
    production.unitmeasure (unitmeasurecode) {
        unitmeasurecode -> Bpchar,
        name -> Varchar,
        modifieddate -> Timestamp,
    }
}

diesel::table! {
    purchasing.productvendor (productid, businessentityid) {
        productid -> Integer,
        businessentityid -> Integer,
        averageleadtime -> Integer,
        standardprice -> Numeric,
        lastreceiptcost -> Nullable<Numeric>,
        lastreceiptdate -> Nullable<Timestamp>,
        minorderqty -> Integer,
        maxorderqty -> Integer,
        onorderqty -> Nullable<Integer>,
        unitmeasurecode -> Bpchar,
        modifieddate -> Timestamp,
    }
}

diesel::table! {
    sales.countryregioncurrency (countryregioncode, currencycode) {
        countryregioncode -> Varchar,
        currencycode -> Bpchar,
        modifieddate -> Timestamp,
    }
}

diesel::table! {
    sales.customer (customerid) {
        customerid -> Integer,
        personid -> Nullable<Integer>,
        storeid -> Nullable<Integer>,
        territoryid -> Nullable<Integer>,
        rowguid -> Uuid,
        modifieddate -> Timestamp,
    }
}

diesel::table! {
    sales.salesterritoryhistory (businessentityid, startdate, territoryid) {
        businessentityid -> Integer,
        territoryid -> Integer,
        startdate -> Timestamp,
        enddate -> Nullable<Timestamp>,
        rowguid -> Uuid,
        modifieddate -> Timestamp,
    }
}
